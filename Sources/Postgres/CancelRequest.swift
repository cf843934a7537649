import CLibPQ

/// Sends a cancel request for a session's running statement, on a separate connection (Postgres manual, section 34.7).
/// It owns and frees libpq's memory.
///
/// Sound as `@unchecked Sendable`: libpq creates the object for use on another thread, and nothing mutates it.
final class CancelRequest: @unchecked Sendable {
    // Owned by this object: freed in deinit, never handed out.
    private let handle: OpaquePointer

    init(owning handle: OpaquePointer) { self.handle = handle }

    deinit { PQfreeCancel(handle) }

    /// Sends the request and waits until the server has forwarded it to the session. Blocks for as long as TCP does if the host is
    /// unreachable.
    func send() {
        var message = [CChar](repeating: 0, count: 256)
        PQcancel(handle, &message, Int32(message.count))
    }
}
