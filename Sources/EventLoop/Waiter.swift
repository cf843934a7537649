/// A one-time event that tasks on a loop can wait for. Its outcome is set by a callback, a timer or a cancellation,
/// whichever comes first.
///
/// Any number of tasks may wait, usually one.
///
/// The conformance to `@unchecked Sendable` is sound: a waiter's state is used on the loop's thread only; a
/// cancellation from another thread is moved to the loop by a task.
public final class Waiter<Value: Sendable>: @unchecked Sendable {
    private typealias Continuation = UnsafeContinuation<Value, any Error>

    private let loop: Loop
    private var continuation: (id: Int, Continuation)?
    /// The continuations of all waiting tasks but the first.
    private var furtherContinuations: [(id: Int, Continuation)] = []
    private var lastID = 0
    private var result: Result<Value, any Error>?

    /// Creates a waiter for tasks that run on `loop`.
    public init(on loop: Loop) { self.loop = loop }

    /// Whether the outcome is known already.
    public var isResumed: Bool { result != nil }

    /// Resumes all waiting tasks with a value. Has no effect when the outcome is already known.
    public func resume(returning value: Value) { resume(with: .success(value)) }

    /// Resumes all waiting tasks with an error. Has no effect when the outcome is already known.
    public func resume(throwing error: any Error) { resume(with: .failure(error)) }

    /// Resumes all waiting tasks with a value or an error. Has no effect when the outcome is already known.
    public func resume(with result: Result<Value, any Error>) {
        loop.assertCurrent()
        guard self.result == nil else { return }
        self.result = result
        continuation?.1.resume(with: result)
        continuation = nil
        guard !furtherContinuations.isEmpty else { return }
        for (_, continuation) in furtherContinuations { continuation.resume(with: result) }
        furtherContinuations = []
    }

    /// Waits for the outcome, even when the task is cancelled. Use this method for operations that are certain to end.
    /// - Throws: The error that the waiter was resumed with.
    public func outcome() async throws -> Value {
        lastID += 1
        let id = lastID
        return try await withUnsafeThrowingContinuation { continuation in
            if let result { continuation.resume(with: result) } else { add((id, continuation)) }
        }
    }

    /// Waits for the outcome; returns immediately when the outcome is already known.
    /// - Throws: The error that the waiter was resumed with; `CancellationError` as soon as the current task is
    ///   cancelled, or when this error is already the outcome, because the only waiting task was cancelled earlier.
    public func value() async throws -> Value {
        lastID += 1
        let id = lastID
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                if let result { continuation.resume(with: result) } else { add((id, continuation)) }
            }
        } onCancel: {
            Task(executorPreference: loop) { self.cancel(id) }
        }
    }

    private func add(_ entry: (id: Int, Continuation)) {
        if continuation == nil { continuation = entry } else { furtherContinuations.append(entry) }
    }

    /// Resumes one cancelled task with `CancellationError`. When no other task waits, this error becomes the outcome:
    /// `isResumed` is then true, which tells the producer of the outcome that no task waits any more.
    private func cancel(_ id: Int) {
        guard result == nil else { return }
        if continuation?.id == id {
            guard !furtherContinuations.isEmpty else { return resume(throwing: CancellationError()) }
            continuation?.1.resume(throwing: CancellationError())
            continuation = furtherContinuations.removeFirst()
        } else if let index = furtherContinuations.firstIndex(where: { $0.id == id }) {
            furtherContinuations.remove(at: index).1.resume(throwing: CancellationError())
        }
    }
}
