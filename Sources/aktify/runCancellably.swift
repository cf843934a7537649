import EventLoop
import Glibc

/// Runs `body` on a loop; the first of `signals` cancels it, so that what has begun is rolled back, and a second one ends the process:
/// Postgres rolls back what a lost client had begun.
/// - Throws: `Interrupted` when it was cancelled, and what `body` throws.
func runCancellably<Value: Sendable>(
    by signals: [Int32] = [SIGINT, SIGTERM], _ body: @escaping @Sendable () async throws -> Value
) throws -> Value {
    Signals.block(signals)
    return try Loop.run {
        guard let loop = Loop.current else { preconditionFailure("Loop.run runs on a loop") }
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
            // It came too late to cancel anything: whoever watches next gets it.
            if let received { kill(getpid(), received) }
            return value
        } catch  where task.isCancelled { throw Interrupted(by: error) }
    }
}

/// A signal came, and what was done failed because of that.
struct Interrupted: Error, CustomStringConvertible {
    let description: String

    init(by error: any Error) {
        description = error is CancellationError ? "Interrupted: what had begun was rolled back." : "\(error)"
    }
}
