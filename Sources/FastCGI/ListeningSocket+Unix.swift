import EventLoop
import Glibc

extension ListeningSocket {
    static func bind(path: String, mode: mode_t, backlog: Int32) throws -> ListeningSocket {
        try removeStale(path)
        let socket = ListeningSocket(descriptor: try check("socket", Glibc.socket(AF_UNIX, streamSocket, 0)))
        // The mask keeps the file closed to others from its first moment; the mode opens it as far as was asked for.
        let mask = umask(0o177)
        let result = withUnixAddress(path) { Glibc.bind(socket.descriptor, $0, $1) }
        umask(mask)
        try check("bind \(path)", result)
        try check("chmod \(path)", chmod(path, mode))
        try check("listen \(path)", listen(socket.descriptor, backlog))
        return socket
    }

    /// Removes a socket that nobody listens on any more; leaves everything else alone.
    private static func removeStale(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw Unavailable(description: "\(path) exists and is no socket: name another path, or remove it")
        }
        let probe = try check("socket", Glibc.socket(AF_UNIX, streamSocket | Int32(SOCK_NONBLOCK.rawValue), 0))
        defer { close(probe) }
        if withUnixAddress(path, { connect(probe, $0, $1) }) < 0, errno == ECONNREFUSED {
            try check("unlink \(path)", unlink(path))
        } else {
            throw Unavailable(description: "somebody listens on \(path) already: stop it first, or name another path")
        }
    }

    static var streamSocket: Int32 { Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue) }
}

/// Calls `body` with the address of a Unix socket; `path` must fit, as `ListenAddress` sees to.
func withUnixAddress<Value>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(ListenAddress.longestPath)) }
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
}
