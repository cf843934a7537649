import EventLoop
import Glibc

/// A socket that accepts connections; closed when nobody holds it any more. A Unix socket's file stays: the next bind replaces it.
///
/// libfcgi's own FCGX_OpenSocket is not used: it deletes whatever lies at the path, and ends the process when it fails.
public final class ListeningSocket: Sendable {
    /// The descriptor: non-blocking, and closed on exec.
    public let descriptor: Int32

    /// Why a server cannot listen, as a sentence.
    public struct Unavailable: Error, CustomStringConvertible {
        public let description: String
    }

    /// Takes over a descriptor that listens already.
    init(descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit { close(descriptor) }

    /// Binds a new socket.
    /// - Parameters:
    ///   - address: where to listen. A Unix socket that nobody listens on any more is replaced.
    ///   - mode: the permissions of a Unix socket's file.
    ///   - backlog: how many connections may wait to be accepted; the kernel caps it (net.core.somaxconn).
    /// - Throws: `Unavailable`, when somebody else listens there, or `SystemError`.
    public static func bind(_ address: ListenAddress, mode: mode_t = 0o660, backlog: Int32 = 511) throws
        -> ListeningSocket
    {
        switch address {
        case .unix(let path): try bind(path: path, mode: mode, backlog: backlog)
        case .tcp(let host, let port): try bind(host: host, port: port, backlog: backlog)
        }
    }
}
