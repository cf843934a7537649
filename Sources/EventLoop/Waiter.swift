/// One task that waits on a loop for one outcome, which a callback, a timer or a cancellation brings: the first one counts.
///
/// Sound as `@unchecked Sendable`: its state is touched on the loop's thread only; a cancellation that comes from another
/// thread is brought there by a task.
public final class Waiter<Value: Sendable>: @unchecked Sendable {
    private let loop: Loop
    private var continuation: UnsafeContinuation<Value, any Error>?
    private var outcome: Result<Value, any Error>?

    /// Makes a waiter for a task that runs on `loop`.
    public init(on loop: Loop) { self.loop = loop }

    /// Whether an outcome has come already.
    public var isResumed: Bool { outcome != nil }

    /// Ends the waiting with a value; without effect when it has ended already.
    public func resume(returning value: Value) { resume(with: .success(value)) }

    /// Ends the waiting with an error; without effect when it has ended already.
    public func resume(throwing error: any Error) { resume(with: .failure(error)) }

    /// Ends the waiting; without effect when it has ended already.
    public func resume(with result: Result<Value, any Error>) {
        loop.assertCurrent()
        guard outcome == nil else { return }
        outcome = result
        continuation?.resume(with: result)
        continuation = nil
    }

    /// Waits for the outcome; to be called once.
    /// - Throws: the error that was given, or `CancellationError` as soon as the task is cancelled.
    public func value() async throws -> Value {
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                if let outcome { continuation.resume(with: outcome) } else { self.continuation = continuation }
            }
        } onCancel: {
            Task(executorPreference: loop) { self.resume(throwing: CancellationError()) }
        }
    }
}
