import Glibc
import Synchronization

extension Loop {
    /// Waits without holding the thread.
    /// - Throws: `CancellationError` at once when the task is cancelled.
    public func sleep(for duration: Duration) async throws {
        let waiter = Waiter<Void>(on: self)
        let timer = schedule(at: Instant.now.advanced(by: duration)) { waiter.resume(returning: ()) }
        defer { timer.cancel() }
        try await waiter.value()
    }

    /// Runs a call that blocks (a name lookup, a connect) on a thread of its own, and waits for it without holding the loop.
    ///
    /// The call cannot be interrupted: give it a time limit of its own.
    /// - Throws: whatever `body` throws.
    public func offload<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        offloaded += 1
        defer { offloaded -= 1 }
        let handover = Handover()
        defer { handover.take() }
        return try await withUnsafeThrowingContinuation { continuation in
            let call = Unmanaged.passRetained(
                Call {
                    do {
                        let value = try body()
                        handover.give()
                        // This thread keeps no copy, which it might release after the loop has ended.
                        continuation.resume(returning: consume value)
                    } catch {
                        handover.give()
                        continuation.resume(throwing: error)
                    }
                })
            var thread = pthread_t()
            let code = pthread_create(
                &thread, nil,
                { argument in
                    // Sound: the argument is the call that was retained for this one thread, above.
                    Unmanaged<Call>.fromOpaque(argument!).takeRetainedValue().body()
                    return nil
                }, call.toOpaque())
            guard code == 0 else {
                call.release()
                return continuation.resume(throwing: SystemError("pthread_create", code: code))
            }
            pthread_detach(thread)
        }
    }

    /// Waits until the calls that were offloaded have come back, so that what they return is released; no longer than `limit`.
    func waitForOffloaded(within limit: Duration) async {
        let deadline = Instant.now.advanced(by: limit)
        while offloaded > 0, Instant.now < deadline { try? await sleep(for: .milliseconds(5)) }
    }

    /// Orders what a thread has done before what the loop does with it, for the thread sanitizer: it cannot see into the runtime,
    /// which does so too.
    private final class Handover: Sendable {
        private let isDone = Atomic(false)

        func give() { isDone.store(true, ordering: .releasing) }
        func take() { _ = isDone.load(ordering: .acquiring) }
    }

    /// What a thread is to do.
    private final class Call: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
