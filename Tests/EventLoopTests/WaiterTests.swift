import EventLoop
import Testing

@Suite struct WaiterTests {
    private typealias Tasks = [Task<Int, any Error>]

    private static func startTasks(_ count: Int, waitingFor waiter: Waiter<Int>) async -> Tasks {
        let tasks: Tasks = (0..<count).map { _ in
            Task(executorPreference: Loop.current!) { try await waiter.value() }
        }
        for _ in 0..<3 { await Task.yield() }
        return tasks
    }

    @Test func `all waiting tasks get the outcome, and so does a task that waits later`() throws {
        let values = try Loop.run {
            let waiter = Waiter<Int>(on: Loop.current!)
            let tasks = await Self.startTasks(3, waitingFor: waiter)
            waiter.resume(returning: 7)
            var values = [try await waiter.value()]
            for task in tasks { values.append(try await task.value) }
            return values
        }
        #expect(values == [7, 7, 7, 7])
    }

    @Test func `cancelling one of several waiting tasks does not affect the others`() throws {
        let results = try Loop.run {
            let waiter = Waiter<Int>(on: Loop.current!)
            let tasks = await Self.startTasks(3, waitingFor: waiter)
            tasks[0].cancel()
            let cancelled = await tasks[0].result
            let isResumed = waiter.isResumed
            waiter.resume(returning: 7)
            return (cancelled, isResumed, try await tasks[1].value, try await tasks[2].value)
        }
        #expect(throws: CancellationError.self) { try results.0.get() }
        #expect(!results.1 && results.2 == 7 && results.3 == 7)
    }

    @Test func `cancelling the only waiting task resumes the waiter`() throws {
        let isResumed = try Loop.run {
            let waiter = Waiter<Int>(on: Loop.current!)
            let tasks = await Self.startTasks(1, waitingFor: waiter)
            tasks[0].cancel()
            _ = await tasks[0].result
            return waiter.isResumed
        }
        #expect(isResumed)
    }
}
