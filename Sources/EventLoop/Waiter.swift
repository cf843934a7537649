/// Tasks that wait on a loop for one outcome, which a callback, a timer or a cancellation brings: the first one counts.
///
/// Any number of tasks may wait; usually it is one. Sound as `@unchecked Sendable`: its state is touched on the loop's thread
/// only; a cancellation that comes from another thread is brought there by a task.
public final class Waiter<Value: Sendable>: @unchecked Sendable {
    private typealias Continuation = UnsafeContinuation<Value, any Error>

    private let loop: Loop
    private var continuation: (id: Int, Continuation)?
    /// Those of the tasks that came later.
    private var others: [(id: Int, Continuation)] = []
    private var lastID = 0
    private var result: Result<Value, any Error>?

    /// Makes a waiter for tasks that run on `loop`.
    public init(on loop: Loop) { self.loop = loop }

    /// Whether an outcome has come already.
    public var isResumed: Bool { result != nil }

    /// Ends the waiting with a value; without effect when it has ended already.
    public func resume(returning value: Value) { resume(with: .success(value)) }

    /// Ends the waiting with an error; without effect when it has ended already.
    public func resume(throwing error: any Error) { resume(with: .failure(error)) }

    /// Ends the waiting; without effect when it has ended already.
    public func resume(with result: Result<Value, any Error>) {
        loop.assertCurrent()
        guard self.result == nil else { return }
        self.result = result
        continuation?.1.resume(with: result)
        continuation = nil
        guard !others.isEmpty else { return }
        for (_, continuation) in others { continuation.resume(with: result) }
        others = []
    }

    /// Waits for the outcome, also in a task that is cancelled: for what ends by itself.
    /// - Throws: the error that was given.
    public func outcome() async throws -> Value {
        lastID += 1
        let id = lastID
        return try await withUnsafeThrowingContinuation { continuation in
            if let result { continuation.resume(with: result) } else { add((id, continuation)) }
        }
    }

    /// Waits for the outcome, which may have come already.
    /// - Throws: the error that was given, or `CancellationError` as soon as the task is cancelled.
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

    private func add(_ waiting: (id: Int, Continuation)) {
        if continuation == nil { continuation = waiting } else { others.append(waiting) }
    }

    /// Ends the waiting of one task; that of the only one ends it altogether, so that who brings the outcome sees that nobody
    /// waits for it.
    private func cancel(_ id: Int) {
        guard result == nil else { return }
        if continuation?.id == id {
            guard !others.isEmpty else { return resume(throwing: CancellationError()) }
            continuation?.1.resume(throwing: CancellationError())
            continuation = others.removeFirst()
        } else if let index = others.firstIndex(where: { $0.id == id }) {
            others.remove(at: index).1.resume(throwing: CancellationError())
        }
    }
}
