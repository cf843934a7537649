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

    @Test func `a signal arrives as an event`() throws {
        Signals.block([SIGUSR2])
        let received = try Loop.run {
            let loop = Loop.current!
            let probe = Probe()
            let watch = try Signals.watch([SIGUSR2], on: loop) { probe.count = Int($0) }
            pthread_kill(pthread_self(), SIGUSR2)
            try await loop.sleep(for: .milliseconds(5))
            watch.cancel()
            close(watch.descriptor)
            return probe.count
        }
        #expect(received == Int(SIGUSR2))
    }
}

/// Counts what callbacks do. Sound as `@unchecked Sendable`: each test uses its own, on one loop's thread.
final class Probe: @unchecked Sendable { var count = 0 }
