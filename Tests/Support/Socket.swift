import Foundation

/// A blocking socket with a timeout. It is closed on deinitialization.
public final class Socket: Sendable {
    /// The descriptor.
    public let descriptor: Int32

    private convenience init(_ family: Int32, _ type: __socket_type = SOCK_STREAM) throws {
        let descriptor = socket(family, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw CommandFailed(description: "socket: \(String(cString: strerror(errno)))") }
        self.init(adopting: descriptor)
    }

    /// Takes ownership of a descriptor.
    public init(adopting descriptor: Int32) {
        self.descriptor = descriptor
        setTimeLimit(seconds: 15)
    }

    /// Sets the timeout for sending and receiving (15 seconds by default).
    public func setTimeLimit(seconds: Int) {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout.size(ofValue: limit)))
        }
    }

    deinit { close(descriptor) }

    /// Connects to a local TCP port.
    public convenience init(port: Int) throws {
        try self.init(AF_INET)
        try Self.with(port: port) { try check("connect", connect(descriptor, $0, $1)) }
    }

    /// Connects to a Unix socket.
    public convenience init(path: String) throws {
        try self.init(AF_UNIX)
        try Self.with(path: path) { try check("connect", connect(descriptor, $0, $1)) }
    }

    /// Listens on a Unix socket.
    public convenience init(listeningOn path: String) throws {
        try self.init(AF_UNIX)
        try Self.with(path: path) { try check("bind", bind(descriptor, $0, $1)) }
        try check("listen", listen(descriptor, 511))
    }

    /// Receives datagrams on a Unix socket.
    public convenience init(receivingOn path: String) throws {
        try self.init(AF_UNIX, SOCK_DGRAM)
        try Self.with(path: path) { try check("bind", bind(descriptor, $0, $1)) }
    }

    /// Listens on a free local TCP port.
    public static func listening() throws -> (socket: Socket, port: Int) {
        let bound = try bound()
        try bound.socket.check("listen", listen(bound.socket.descriptor, 511))
        return bound
    }

    /// A free local TCP port.
    public static func freePort() throws -> Int { try bound().port }

    private static func bound() throws -> (socket: Socket, port: Int) {
        let probe = try Socket(AF_INET)
        try with(port: 0) { try probe.check("bind", bind(probe.descriptor, $0, $1)) }
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(probe.descriptor, $0, &size) }
        }
        return (probe, Int(address.sin_port.byteSwapped))
    }

    /// Sends all bytes, unless the peer closes the connection or the timeout elapses.
    /// - Returns: whether all bytes were sent.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Reads once. Returns no bytes at the end of the stream, and after the timeout.
    public func receive() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(descriptor, &buffer, buffer.count)
        return Array(buffer.prefix(max(0, count)))
    }

    /// Reads a number of bytes, or fewer at the end of the stream or after the timeout.
    public func receive(exactly count: Int) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let more = buffer.withUnsafeMutableBytes {
                read(descriptor, $0.baseAddress.map { $0 + filled }, count - filled)
            }
            guard more > 0 else { break }
            filled += more
        }
        return Array(buffer.prefix(filled))
    }

    /// Reads until the end of the stream or the timeout.
    public func receiveAll() -> [UInt8] {
        var all: [UInt8] = []
        while case let bytes = receive(), !bytes.isEmpty { all += bytes }
        return all
    }

    private func check(_ name: String, _ result: Int32) throws {
        guard result == 0 else { throw CommandFailed(description: "\(name): \(String(cString: strerror(errno)))") }
    }

    private static func with(port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).byteSwapped
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        try withUnsafePointer(to: &address) {
            try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private static func with(path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        try withUnsafePointer(to: &address) {
            try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
