import Glibc

extension ListeningSocket {
    /// Returns a listening socket that this process was started with: either systemd's (sd_listen_fds(3): `LISTEN_PID`
    /// and `LISTEN_FDS`; the first one, descriptor 3), or descriptor 0, as spawn-fcgi and supervisord pass it (FastCGI
    /// Specification 1.0, section 2.2).
    /// - Returns: `nil` when no listening socket was passed.
    public static func inherited(environment: [String: String]) -> ListeningSocket? {
        if environment["LISTEN_PID"] == String(getpid()), let count = environment["LISTEN_FDS"].flatMap(Int.init),
            count > 0
        {
            return listens(3) ? ListeningSocket(descriptor: 3) : nil
        }
        return listens(0) ? ListeningSocket(descriptor: 0) : nil
    }

    /// Returns a listening socket that this process already had before it re-executed itself.
    /// - Returns: `nil` when the descriptor is not a listening socket.
    public static func adopted(_ descriptor: Int32) -> ListeningSocket? {
        listens(descriptor) ? ListeningSocket(descriptor: descriptor) : nil
    }

    private static func listens(_ descriptor: Int32) -> Bool {
        var isListening: Int32 = 0
        var size = socklen_t(MemoryLayout.size(ofValue: isListening))
        return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &size) == 0 && isListening != 0
    }
}
