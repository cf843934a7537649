import Dispatch

extension Loop {
    /// Waits without holding the thread.
    /// - Throws: `CancellationError` at once when the task is cancelled.
    public func sleep(for duration: Duration) async throws {
        let waiter = Waiter<Void>(on: self)
        let timer = schedule(at: Instant.now.advanced(by: duration)) { waiter.resume(returning: ()) }
        defer { timer.cancel() }
        try await waiter.value()
    }

    /// Runs a call that blocks (a name lookup, a connect) on a helper thread, and waits for it without holding the loop.
    ///
    /// The call cannot be interrupted: give it a time limit of its own.
    /// - Throws: whatever `body` throws.
    public func offload<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withUnsafeThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
        }
    }
}
