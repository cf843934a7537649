import EventLoop
import Glibc

/// A blocking FastCGI client that sends a single request, as a web server would. It is used for health checks and
/// status queries.
public struct FastCGIClient: Sendable {
    private let address: ListenAddress
    private let seconds: Int

    /// The reason why no response was received, as an English phrase.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// Creates a client for the responder at `address`. Connecting to each address of its host, sending and each read
    /// time out after `seconds`.
    public init(_ address: ListenAddress, seconds: Int) { (self.address, self.seconds) = (address, seconds) }

    /// Sends a GET request for `target`.
    /// - Returns: The response's status code and body.
    /// - Throws: `Failure` when `target` has more than 127 bytes, or the response is missing or malformed,
    ///   `ListeningSocket.Unavailable` when the host name cannot be resolved, `SystemError` when connecting or sending
    ///   fails.
    public func get(_ target: String) throws -> (status: Int, body: String) {
        guard target.utf8.count <= 127 else { throw Failure(description: "the target has more than 127 bytes") }
        let socket = try connected()
        defer { close(socket) }
        try send(request(target), to: socket)
        let text = String(decoding: try output(from: socket), as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n"), text.hasPrefix("Status: "),
            let status = Int(text.dropFirst("Status: ".count).prefix(3))
        else { throw Failure(description: "\(address) sent no valid response") }
        return (status, String(text[end.upperBound...]))
    }

    // MARK: Records (FastCGI Specification 1.0, sections 3.3 and 5)

    private func request(_ target: String) -> [UInt8] {
        let params = [("REQUEST_METHOD", "GET"), ("REQUEST_URI", target), ("HTTP_HOST", "localhost")]
        let pairs = params.flatMap { name, value in
            [UInt8(name.utf8.count), UInt8(value.utf8.count)] + Array(name.utf8) + Array(value.utf8)
        }
        return record(RecordType.beginRequest, [0, 1, 0, 0, 0, 0, 0, 0]) + record(RecordType.params, pairs)
            + record(RecordType.params, []) + record(RecordType.stdin, [])
    }

    private func record(_ type: UInt8, _ content: [UInt8]) -> [UInt8] {
        [1, type, 0, 1, UInt8(content.count >> 8), UInt8(content.count & 255), 0, 0] + content
    }

    private func output(from socket: Int32) throws -> [UInt8] {
        var output: [UInt8] = []
        while true {
            let header = try receive(RecordHeader.size, from: socket).withUnsafeBytes { RecordHeader($0) }
            let content = try receive(header.contentLength + header.paddingLength, from: socket)
            if header.type == RecordType.stdout { output += content.prefix(header.contentLength) }
            if header.type == RecordType.endRequest { return output }
        }
    }

    // MARK: The socket

    private func connected() throws -> Int32 {
        switch address {
        case .unix(let path):
            let socket = try open(AF_UNIX)
            return try connected(socket, withUnixAddress(path) { connect(socket, $0, $1) })
        case .tcp(let host, let port):
            let found = try ListeningSocket.resolve(host.isEmpty ? "localhost" : host, port)
            defer { freeaddrinfo(found) }
            return try connected(toOneOf: found)
        }
    }

    /// Connects to the first address in a list that accepts the connection.
    /// - Throws: `SystemError` for the last address.
    func connected(toOneOf addresses: UnsafeMutablePointer<addrinfo>) throws -> Int32 {
        let first = addresses.pointee
        do {
            let socket = try open(first.ai_family)
            return try connected(socket, connect(socket, first.ai_addr, first.ai_addrlen))
        } catch {
            guard let others = first.ai_next else { throw error }
            return try connected(toOneOf: others)
        }
    }

    /// Opens a socket whose system calls time out. On Linux, the timeout for sending applies to connect(2) too
    /// (socket(7)).
    private func open(_ family: Int32) throws -> Int32 {
        let socket = try check("socket", Glibc.socket(family, ListeningSocket.streamSocket, 0))
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(socket, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout.size(ofValue: limit)))
        }
        return socket
    }

    private func connected(_ socket: Int32, _ result: Int32) throws -> Int32 {
        guard result == 0 else {
            defer { close(socket) }
            throw SystemError("connect to \(address)")
        }
        return socket
    }

    private func send(_ bytes: [UInt8], to socket: Int32) throws {
        guard Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw SystemError("send to \(address)")
        }
    }

    private func receive(_ count: Int, from socket: Int32) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard count == 0 || recv(socket, &bytes, count, Int32(MSG_WAITALL)) == count else {
            throw Failure(description: "\(address) did not respond within \(seconds) s, or closed the connection")
        }
        return bytes
    }
}
