import EventLoop
import Testing

@Suite struct WaiterTests {
    private typealias Tasks = [Task<Int, any Error>]

    private static func waiting(_ count: Int, for waiter: Waiter<Int>) async -> Tasks {
        let tasks: Tasks = (0..<count).map { _ in
            Task(executorPreference: Loop.current!) { try await waiter.value() }
        }
        for _ in 0..<3 { await Task.yield() }
        return tasks
    }

    @Test func `all that wait get the outcome, also who comes later`() throws {
        let values = try Loop.run {
            let waiter = Waiter<Int>(on: Loop.current!)
            let tasks = await Self.waiting(3, for: waiter)
            waiter.resume(returning: 7)
            var values = [try await waiter.value()]
            for task in tasks { values.append(try await task.value) }
            return values
        }
        #expect(values == [7, 7, 7, 7])
    }

    @Test func `the cancellation of one of several ends its own waiting only`() throws {
        let results = try Loop.run {
            let waiter = Waiter<Int>(on: Loop.current!)
            let tasks = await Self.waiting(3, for: waiter)
            tasks[0].cancel()
            let cancelled = await tasks[0].result
            let isResumed = waiter.isResumed
            waiter.resume(returning: 7)
            return (cancelled, isResumed, try await tasks[1].value, try await tasks[2].value)
        }
        #expect(throws: CancellationError.self) { try results.0.get() }
        #expect(!results.1 && results.2 == 7 && results.3 == 7)
    }

    @Test func `the cancellation of the only one ends it`() throws {
        let isResumed = try Loop.run {
            let waiter = Waiter<Int>(on: Loop.current!)
            let tasks = await Self.waiting(1, for: waiter)
            tasks[0].cancel()
            _ = await tasks[0].result
            return waiter.isResumed
        }
        #expect(isResumed)
    }
}
