import Glibc
import Synchronization

extension Loop {
    /// Suspends the current task for `duration` without blocking the loop's thread.
    /// - Throws: `CancellationError`, immediately, when the task is cancelled.
    public func sleep(for duration: Duration) async throws {
        let waiter = Waiter<Void>(on: self)
        let timer = schedule(at: Instant.now.advanced(by: duration)) { waiter.resume(returning: ()) }
        defer { timer.cancel() }
        try await waiter.value()
    }

    /// Runs a blocking call, such as a name lookup, on a new thread, and suspends the current task until the call
    /// returns.
    ///
    /// Cancellation does not interrupt the call, so `body` needs a timeout of its own.
    /// - Throws: Whatever `body` throws, or `SystemError` when the thread cannot be created.
    public func offload<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        offloadedCalls += 1
        defer { offloadedCalls -= 1 }
        let completion = HappensBefore()
        defer { completion.observe() }
        return try await withUnsafeThrowingContinuation { continuation in
            let call = Unmanaged.passRetained(
                Call {
                    do {
                        let value = try body()
                        completion.signal()
                        // `consume`: this thread must not keep a copy that it could release after the loop has ended.
                        continuation.resume(returning: consume value)
                    } catch {
                        completion.signal()
                        continuation.resume(throwing: error)
                    }
                })
            var thread = pthread_t()
            let code = pthread_create(
                &thread, nil,
                { argument in
                    // Sound: the argument is the call that is retained for this thread, above.
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

    /// Waits until all offloaded calls have returned, for at most `limit`. The result of a call that returns after the
    /// loop has ended would leak.
    func waitForOffloadedCalls(within limit: Duration) async {
        let deadline = Instant.now.advanced(by: limit)
        while offloadedCalls > 0, Instant.now < deadline { try? await sleep(for: .milliseconds(5)) }
    }

    /// A release/acquire pair between the offloaded call and the task that receives its result, for the thread
    /// sanitizer, which cannot see the Swift runtime's own synchronization.
    private final class HappensBefore: Sendable {
        private let isSignaled = Atomic(false)

        func signal() { isSignaled.store(true, ordering: .releasing) }
        func observe() { _ = isSignaled.load(ordering: .acquiring) }
    }

    /// A boxed closure to pass to a new thread.
    private final class Call: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
