import Glibc
import Synchronization

extension Loop {
    /// Runs `body` as a task on a loop of its own, on the calling thread, and returns what it returns.
    ///
    /// This is how a command does its work on Postgres: no server, and the same code as in one.
    /// - Throws: whatever `body` throws, or `SystemError` when no loop can be made.
    public static func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let loop = try Loop()
        let outcome = Mutex<Swift.Result<Value, any Error>?>(nil)
        Task(executorPreference: loop) {
            let result: Swift.Result<Value, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            outcome.withLock { $0 = result }
            // A connection that is still being opened would be lost, and stay open, without a loop to take it.
            await loop.waitForOffloaded(within: .seconds(1))
            loop.stop()
        }
        loop.run()
        guard let result = outcome.withLock({ $0 }) else {
            preconditionFailure("the loop was stopped before its task ended")
        }
        return try result.get()
    }

    /// Starts a thread that runs this loop until `stop` is called.
    /// - Returns: the thread, to be joined.
    /// - Throws: `SystemError` when the process may start no more threads.
    @discardableResult
    public func runOnNewThread() throws(SystemError) -> pthread_t {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(self).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { argument in
                // Sound: the argument is the loop that was retained for this one call, below.
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
