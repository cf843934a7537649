import CLibPQ

/// A request to cancel a session's running statement, sent on a separate connection (Postgres manual, section 34.7).
/// The request owns libpq's `PGcancel` object, and frees that object when the request is deinitialized.
///
/// `@unchecked Sendable` is sound because libpq permits the use of a `PGcancel` on any thread, and nothing mutates it.
final class CancelRequest: @unchecked Sendable {
    // Owned by this object: freed in deinit, never handed out.
    private let handle: OpaquePointer

    init(owning handle: OpaquePointer) { self.handle = handle }

    deinit { PQfreeCancel(handle) }

    /// Sends the request and waits until the server has forwarded it to the session. If the host is unreachable, the
    /// call blocks until TCP times out.
    func send() {
        var message = [CChar](repeating: 0, count: 256)
        PQcancel(handle, &message, Int32(message.count))
    }
}
