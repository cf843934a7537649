import EventLoop
import Glibc

/// A listening socket, closed when the last reference to it is released. The file of a Unix socket is not removed: the
/// next bind replaces it.
///
/// libfcgi's own FCGX_OpenSocket is not used because it deletes any file at the path and exits the process on failure.
public final class ListeningSocket: Sendable {
    /// The socket's descriptor, non-blocking and close-on-exec.
    public let descriptor: Int32

    /// The reason why a server cannot listen on an address, as an English phrase.
    public struct Unavailable: Error, CustomStringConvertible {
        public let description: String
    }

    /// Takes ownership of the descriptor of a socket that is already listening.
    init(descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit { close(descriptor) }

    /// Creates a socket, binds it and listens on it.
    /// - Parameters:
    ///   - address: The address to listen on. A stale Unix socket file, on which no process listens any more, is
    ///     replaced.
    ///   - mode: The permissions of a Unix socket's file.
    ///   - backlog: The maximum length of the accept queue; the kernel caps it at net.core.somaxconn.
    /// - Throws: `Unavailable` when the path of a Unix socket is in use, or a host name cannot be resolved;
    ///   `SystemError` when a system call fails, for example because a TCP port is in use.
    public static func bind(_ address: ListenAddress, mode: mode_t = 0o660, backlog: Int32 = 511) throws
        -> ListeningSocket
    {
        switch address {
        case .unix(let path): try bind(path: path, mode: mode, backlog: backlog)
        case .tcp(let host, let port): try bind(host: host, port: port, backlog: backlog)
        }
    }
}
