import EventLoop
import Glibc

extension ListeningSocket {
    static func bind(path: String, mode: mode_t, backlog: Int32) throws -> ListeningSocket {
        try removeStale(path)
        let socket = ListeningSocket(descriptor: try check("socket", Glibc.socket(AF_UNIX, streamSocket, 0)))
        // The umask denies access to others from the moment the file exists; chmod then sets the requested mode.
        let mask = umask(0o177)
        let result = withUnixAddress(path) { Glibc.bind(socket.descriptor, $0, $1) }
        umask(mask)
        try check("bind \(path)", result)
        try check("chmod \(path)", chmod(path, mode))
        try check("listen \(path)", listen(socket.descriptor, backlog))
        return socket
    }

    /// Removes a stale socket file, on which no process listens any more.
    /// - Throws: `Unavailable` when the path is in use or is not a socket, `SystemError` when that cannot be determined,
    ///   or the file cannot be removed.
    private static func removeStale(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw Unavailable(
                description: "\(path) exists and is not a socket: choose another path, or remove the file")
        }
        let probe = try check("socket", Glibc.socket(AF_UNIX, streamSocket | Int32(SOCK_NONBLOCK.rawValue), 0))
        defer { close(probe) }
        switch withUnixAddress(path, { connect(probe, $0, $1) }) == 0 ? 0 : errno {
        case ECONNREFUSED: try check("unlink \(path)", unlink(path))
        case ENOENT: break
        case 0, EAGAIN:
            throw Unavailable(
                description: "another process is already listening on \(path): stop it, or choose another path")
        case let code: throw SystemError("connect to \(path)", code: code)
        }
    }

    static var streamSocket: Int32 { Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue) }
}

/// Calls `body` with the address of a Unix socket. The path must fit into `sun_path`, which `ListenAddress` ensures.
func withUnixAddress<Value>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) {
        $0.copyBytes(from: path.utf8.prefix(ListenAddress.maximumPathLength))
    }
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
}
