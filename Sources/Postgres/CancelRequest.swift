import CLibPQ

/// Asks a server, on a connection of its own, to give up what a session works on (Postgres manual, chapter 34.7). It owns libpq's
/// memory, and frees it.
///
/// Sound as `@unchecked Sendable`: libpq makes the object for use on another thread, and nothing changes it.
final class CancelRequest: @unchecked Sendable {
    // Owned here: freed in deinit, never handed out.
    private let handle: OpaquePointer

    init(owning handle: OpaquePointer) { self.handle = handle }

    deinit { PQfreeCancel(handle) }

    /// Sends it, and waits until the server has passed it on. It blocks, for as long as TCP does when the host is gone.
    func send() {
        var message = [CChar](repeating: 0, count: 256)
        PQcancel(handle, &message, Int32(message.count))
    }
}
