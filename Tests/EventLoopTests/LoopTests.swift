import EventLoop
import Glibc
import Testing

@Suite struct LoopTests {
    @Test func `run executes a task on the loop's thread and returns its value`() throws {
        let isOnLoop = try Loop.run { Loop.current != nil && Loop.current!.isCurrent }
        #expect(isOnLoop)
        #expect(Loop.current == nil)
    }

    @Test func `run rethrows the error of its task unchanged`() {
        #expect(throws: SystemError("reading", code: EIO)) {
            try Loop.run { throw SystemError("reading", code: EIO) }
        }
    }

    @Test(
        arguments: [
            (.milliseconds(-1), -1_000_000), (.seconds(Int64.min), .min), (.seconds(Int64.max), .max),
            (.seconds(9_223_372_036) + .nanoseconds(999_999_999), .max),
            (.seconds(-9_223_372_036) - .nanoseconds(999_999_999), .min),
        ] as [(Duration, Int64)])
    func `a duration in nanoseconds is clamped to 64 bits`(duration: Duration, nanoseconds: Int64) {
        #expect(duration.nanoseconds == nanoseconds)
    }

    @Test func `sleeping tasks wake in the order of their deadlines`() throws {
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

    @Test func `a timer that has already expired fires without waiting`() throws {
        let elapsed = try Loop.run {
            let start = Instant.now
            for _ in 0..<500 { try await Loop.current!.sleep(for: .zero) }
            return Instant.now.duration(since: start)
        }
        #expect(elapsed < .milliseconds(500))
    }

    @Test func `a cancelled sleeping task wakes immediately`() throws {
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
            let counter = Counter()
            loop.schedule(at: loop.now) { counter.count += 1 }.cancel()
            loop.schedule(at: loop.now) { counter.count += 10 }
            try await loop.sleep(for: .milliseconds(5))
            return counter.count
        }
        #expect(fired == 10)
    }

    @Test func `a watch reports readable data until it is cancelled`() throws {
        let seen = try Loop.run {
            let loop = Loop.current!
            let counter = Counter()
            var ends: [Int32] = [0, 0]
            try check("pipe", pipe(&ends))
            defer { ends.forEach { close($0) } }
            let watch = try loop.watch(ends[0], for: [.readable, .edgeTriggered]) { _ in counter.count += 1 }
            for round in 0..<3 {
                if round == 2 { watch.cancel() }
                write(ends[1], "x", 1)
                try await loop.sleep(for: .milliseconds(2))
            }
            return counter.count
        }
        #expect(seen == 2)
    }

    @Test func `an offloaded blocking call does not block the loop`() throws {
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

    @Test func `timers fire between slow jobs`() throws {
        let before = try Loop.run {
            let loop = Loop.current!
            let (counter, ran) = (Counter(), Counter())
            loop.schedule(at: loop.now.advanced(by: .milliseconds(1))) { counter.count = ran.count }
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        usleep(2000)
                        ran.count += 1
                    }
                }
            }
            try await loop.sleep(for: .milliseconds(2))
            return counter.count
        }
        #expect((1..<50).contains(before))
    }

    @Test func `timers fire between slow event handlers, and no event is lost`() throws {
        let (before, all) = try Loop.run {
            let loop = Loop.current!
            let (counter, ran) = (Counter(), Counter())
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
                if counter.count == 0 { counter.count = ran.count }
            }
            while ran.count < 100 { try await loop.sleep(for: .milliseconds(1)) }
            ends.joined().forEach { close($0) }
            return (counter.count, ran.count)
        }
        #expect(before < 50 && all == 100)
    }

    @Test func `postponed actions run after ready events, in the order they were postponed`() throws {
        let order = try Loop.run {
            let loop = Loop.current!
            let waiter = Waiter<Void>(on: loop)
            let list = Counter()
            var ends: [Int32] = [0, 0]
            try check("pipe", pipe(&ends))
            defer { ends.forEach { close($0) } }
            let seen = Counter()
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

    @Test func `tasks enqueued from other threads all run`() async throws {
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

    @Test func `the result of an offloaded call is released even when no task waits for it any more`() throws {
        let released = Counter()
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

    @Test func `a signal is delivered as an event`() throws {
        Signals.block([SIGUSR2])
        let received = try Loop.run {
            let loop = Loop.current!
            let counter = Counter()
            let watch = try Signals.watch([SIGUSR2], on: loop) { counter.count = Int($0) }
            pthread_kill(pthread_self(), SIGUSR2)
            try await loop.sleep(for: .milliseconds(5))
            watch.cancel()
            return counter.count
        }
        #expect(received == Int(SIGUSR2))
    }
}

/// Counts callbacks. The conformance to `@unchecked Sendable` is sound: each test uses its own counter on one loop's
/// thread.
final class Counter: @unchecked Sendable { var count = 0 }

/// A resource, such as a connection, whose release is counted.
final class Handle: Sendable {
    private let released: Counter
    init(_ released: Counter) { self.released = released }
    deinit { released.count += 1 }
}
