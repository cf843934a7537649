import EventLoop
import Glibc

/// Runs `body` on an event loop. The first of `signals` to arrive cancels `body`, so that its transaction is rolled
/// back. A second signal exits the process immediately; Postgres then rolls back when it notices that the client is
/// gone.
/// - Throws: `Interrupted` when `body` failed after a signal had cancelled it, and whatever else `body` throws.
func runCancellably<Value: Sendable>(
    by signals: [Int32] = [SIGINT, SIGTERM], _ body: @escaping @Sendable () async throws -> Value
) throws -> Value {
    Signals.block(signals)
    return try Loop.run {
        guard let loop = Loop.current else { preconditionFailure("Loop.run sets the current loop") }
        let task = Task(executorPreference: loop) { try await body() }
        var received: Int32?
        let watch = try Signals.watch(signals, on: loop) {
            if received != nil { _exit(128 + $0) }
            received = $0
            task.cancel()
        }
        defer { watch.cancel() }
        do {
            let value = try await task.value
            // The signal came too late to cancel anything: send it again, for the next handler.
            if let received { kill(getpid(), received) }
            return value
        } catch  where task.isCancelled { throw Interrupted(by: error) }
    }
}

/// The error that reports that a signal cancelled a task.
struct Interrupted: Error, CustomStringConvertible {
    let description: String

    init(by error: any Error) {
        description = error is CancellationError ? "Interrupted: everything was rolled back." : "\(error)"
    }
}
