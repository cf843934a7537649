import Glibc
import Synchronization

extension Loop {
    /// Runs `body` as a task on a new event loop on the calling thread. Blocks until the task has finished, and returns
    /// the task's result.
    ///
    /// Synchronous code, such as the commands of the program, calls this method to run asynchronous code.
    /// - Throws: Whatever `body` throws, or `SystemError` when the loop cannot be created.
    public static func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let loop = try Loop()
        let outcome = Mutex<Swift.Result<Value, any Error>?>(nil)
        Task(executorPreference: loop) {
            let result: Swift.Result<Value, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            outcome.withLock { $0 = result }
            // A connection that is still being opened on another thread would leak if the loop ended before receiving
            // it.
            await loop.waitForOffloadedCalls(within: .seconds(1))
            loop.stop()
        }
        loop.run()
        guard let result = outcome.withLock({ $0 }) else {
            preconditionFailure("the loop was stopped before its task ended")
        }
        return try result.get()
    }

    /// Starts a thread that runs this loop until `stop` is called.
    /// - Returns: The thread, which the caller can join.
    /// - Throws: `SystemError` when the thread cannot be created.
    @discardableResult
    public func runOnNewThread() throws(SystemError) -> pthread_t {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(self).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { argument in
                // Sound: the argument is the loop that is retained for this call, above.
                Unmanaged<Loop>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, argument)
        guard code == 0 else {
            Unmanaged<Loop>.fromOpaque(argument).release()
            throw SystemError("pthread_create", code: code)
        }
        return thread
    }
}
