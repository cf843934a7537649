import Glibc

extension ListeningSocket {
    /// Takes over a socket that this process was started with: systemd's (sd_listen_fds(3): `LISTEN_PID` and `LISTEN_FDS`, the
    /// first at descriptor 3), or one at descriptor 0, as spawn-fcgi and supervisord pass it (FastCGI Specification 1.0,
    /// section 2.2).
    /// - Returns: `nil` when there is none.
    public static func inherited(environment: [String: String]) -> ListeningSocket? {
        if environment["LISTEN_PID"] == String(getpid()), let count = environment["LISTEN_FDS"].flatMap(Int.init),
            count > 0
        {
            return listens(3) ? ListeningSocket(descriptor: 3) : nil
        }
        return listens(0) ? ListeningSocket(descriptor: 0) : nil
    }

    /// Takes over a socket that this process has listened on before it became another program.
    /// - Returns: `nil` when the descriptor does not listen.
    public static func adopted(_ descriptor: Int32) -> ListeningSocket? {
        listens(descriptor) ? ListeningSocket(descriptor: descriptor) : nil
    }

    private static func listens(_ descriptor: Int32) -> Bool {
        var answer: Int32 = 0
        var size = socklen_t(MemoryLayout.size(ofValue: answer))
        return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &answer, &size) == 0 && answer != 0
    }
}
