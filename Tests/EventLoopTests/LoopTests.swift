import EventLoop
import Glibc
import Testing

@Suite struct LoopTests {
    @Test func `a task runs on the loop's thread, and its value comes back`() throws {
        let here = try Loop.run { Loop.current != nil && Loop.current!.isCurrent }
        #expect(here)
        #expect(Loop.current == nil)
    }

    @Test func `an error thrown on the loop comes back as it was`() {
        #expect(throws: SystemError("reading", code: EIO)) {
            try Loop.run { throw SystemError("reading", code: EIO) }
        }
    }

    @Test func `sleepers wake in the order of their deadlines`() throws {
        let order = try Loop.run {
            await withTaskGroup(of: Int.self) { group in
                for delay in [30, 10, 20] {
                    group.addTask {
                        try? await Loop.current!.sleep(for: .milliseconds(delay))
                        return delay
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(order == [10, 20, 30])
    }

    @Test func `a cancelled sleeper wakes at once`() throws {
        let elapsed = try Loop.run {
            let loop = Loop.current!
            let start = Instant.now
            let sleeper = Task(executorPreference: loop) { try await loop.sleep(for: .seconds(30)) }
            await Task.yield()
            sleeper.cancel()
            _ = await sleeper.result
            return Instant.now.duration(since: start)
        }
        #expect(elapsed < .seconds(5))
    }

    @Test func `a cancelled timer never fires`() throws {
        let fired = try Loop.run {
            let loop = Loop.current!
            let probe = Probe()
            loop.schedule(at: loop.now) { probe.count += 1 }.cancel()
            loop.schedule(at: loop.now) { probe.count += 10 }
            try await loop.sleep(for: .milliseconds(5))
            return probe.count
        }
        #expect(fired == 10)
    }

    @Test func `a watch sees what arrives until it is cancelled`() throws {
        let seen = try Loop.run {
            let loop = Loop.current!
            let probe = Probe()
            var ends: [Int32] = [0, 0]
            try check("pipe", pipe(&ends))
            defer { ends.forEach { close($0) } }
            let watch = try loop.watch(ends[0], for: [.readable, .edgeTriggered]) { _ in probe.count += 1 }
            for round in 0..<3 {
                if round == 2 { watch.cancel() }
                write(ends[1], "x", 1)
                try await loop.sleep(for: .milliseconds(2))
            }
            return probe.count
        }
        #expect(seen == 2)
    }

    @Test func `a call that blocks does not hold the loop`() throws {
        let turns = try Loop.run {
            let loop = Loop.current!
            let blocked = Task(executorPreference: loop) { try await loop.offload { usleep(50_000) } }
            var turns = 0
            while turns < 5 {
                try await loop.sleep(for: .milliseconds(1))
                turns += 1
            }
            _ = try await blocked.value
            return turns
        }
        #expect(turns == 5)
    }

    @Test func `jobs that take long leave timers their turn`() throws {
        let before = try Loop.run {
            let loop = Loop.current!
            let (probe, ran) = (Probe(), Probe())
            loop.schedule(at: loop.now.advanced(by: .milliseconds(1))) { probe.count = ran.count }
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        usleep(2000)
                        ran.count += 1
                    }
                }
            }
            try await loop.sleep(for: .milliseconds(2))
            return probe.count
        }
        #expect((1..<50).contains(before))
    }

    @Test func `events that take long leave timers their turn, and none is lost`() throws {
        let (before, all) = try Loop.run {
            let loop = Loop.current!
            let (probe, ran) = (Probe(), Probe())
            var ends: [[Int32]] = []
            for _ in 0..<100 {
                var pair: [Int32] = [0, 0]
                try check("pipe", pipe(&pair))
                ends.append(pair)
                _ = try loop.watch(pair[0], for: [.readable, .edgeTriggered]) { _ in
                    usleep(2000)
                    ran.count += 1
                }
                write(pair[1], "x", 1)
            }
            loop.schedule(at: loop.now.advanced(by: .milliseconds(1))) {
                if probe.count == 0 { probe.count = ran.count }
            }
            while ran.count < 100 { try await loop.sleep(for: .milliseconds(1)) }
            ends.joined().forEach { close($0) }
            return (probe.count, ran.count)
        }
        #expect(before < 50 && all == 100)
    }

    @Test func `what is postponed waits for what is ready, and is done in order`() throws {
        let order = try Loop.run {
            let loop = Loop.current!
            let waiter = Waiter<Void>(on: loop)
            let list = Probe()
            var ends: [Int32] = [0, 0]
            try check("pipe", pipe(&ends))
            defer { ends.forEach { close($0) } }
            let seen = Probe()
            let watch = try loop.watch(ends[0], for: [.readable, .edgeTriggered]) { _ in seen.count = list.count }
            write(ends[1], "x", 1)
            for number in 1...20 {
                loop.postpone {
                    usleep(6000)
                    list.count = number == list.count + 1 ? number : -1
                    if number == 20 { waiter.resume(returning: ()) }
                }
            }
            try await waiter.value()
            watch.cancel()
            return (list.count, seen.count)
        }
        #expect(order.0 == 20 && order.1 <= 1)
    }

    @Test func `tasks from many threads all run`() async throws {
        let loop = try Loop()
        let thread = try loop.runOnNewThread()
        let total = await withTaskGroup(of: Int.self) { group in
            for number in 1...100 { group.addTask { await Task(executorPreference: loop) { number }.value } }
            return await group.reduce(0, +)
        }
        loop.stop()
        pthread_join(thread, nil)
        #expect(total == 5050)
    }

    @Test func `what an offloaded call returns is released, also when nobody waits for it any more`() throws {
        let released = Probe()
        try Loop.run {
            let loop = Loop.current!
            Task(executorPreference: loop) {
                _ = try await loop.offload {
                    usleep(100_000)
                    return Handle(released)
                }
            }
            try await loop.sleep(for: .milliseconds(5))
        }
        #expect(released.count == 1)
    }

    @Test func `a signal arrives as an event`() throws {
        Signals.block([SIGUSR2])
        let received = try Loop.run {
            let loop = Loop.current!
            let probe = Probe()
            let watch = try Signals.watch([SIGUSR2], on: loop) { probe.count = Int($0) }
            pthread_kill(pthread_self(), SIGUSR2)
            try await loop.sleep(for: .milliseconds(5))
            watch.cancel()
            return probe.count
        }
        #expect(received == Int(SIGUSR2))
    }
}

/// Counts what callbacks do. Sound as `@unchecked Sendable`: each test uses its own, on one loop's thread.
final class Probe: @unchecked Sendable { var count = 0 }

/// Something that is to be released, such as a connection.
final class Handle: Sendable {
    private let released: Probe
    init(_ released: Probe) { self.released = released }
    deinit { released.count += 1 }
}
