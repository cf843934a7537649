import Glibc

/// The address that a server listens on, or that a client connects to.
public enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// The path of a Unix domain socket, at most 107 bytes (unix(7)).
    case unix(String)
    /// A host name or IP address and a TCP port. A server listens on the first address of the host, a client tries each
    /// one. An empty host means all IPv4 addresses for a server, and localhost for a client.
    case tcp(host: String, port: UInt16)

    /// The reason why a string is not a valid address, as an English phrase.
    public struct Malformed: Error, CustomStringConvertible {
        public let description: String
    }

    /// Parses `unix:PATH`, `HOST:PORT` or `[IPv6]:PORT`.
    /// - Throws: `Malformed`, which describes the expected form.
    public init(_ text: String) throws(Malformed) {
        if text.hasPrefix("unix:") {
            self = try .unix(path: String(text.dropFirst(5)))
        } else {
            self = try .tcp(text)
        }
    }

    private static func unix(path: String) throws(Malformed) -> ListenAddress {
        guard !path.isEmpty, path.utf8.count <= maximumPathLength else {
            throw Malformed(
                description:
                    "a Unix socket path must have 1 to \(maximumPathLength) bytes, not \(path.utf8.count): \(path)")
        }
        guard !path.utf8.contains(0) else { throw Malformed(description: "a Unix socket path must not contain NUL") }
        return .unix(path)
    }

    private static func tcp(_ text: String) throws(Malformed) -> ListenAddress {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw Malformed(description: "expected unix:PATH, HOST:PORT or [IPv6]:PORT, not \"\(text)\"")
        }
        var host = text[..<colon]
        // Compared by bytes: a bracket followed by a combining mark is a single Character.
        if host.utf8.first == UInt8(ascii: "["), host.utf8.last == UInt8(ascii: "]") {
            host = Substring(host.utf8.dropFirst().dropLast())
            guard host.utf8.contains(UInt8(ascii: ":")) else {
                throw Malformed(description: "only an IPv6 address may be in brackets: \"\(text)\"")
            }
        }
        guard !host.utf8.contains(where: { "[]\0".utf8.contains($0) }) else {
            throw Malformed(description: "a host name must not contain brackets or NUL: \"\(text)\"")
        }
        return .tcp(host: String(host), port: port)
    }

    /// The maximum length of a path in `sockaddr_un.sun_path`, without its terminating NUL.
    static let maximumPathLength = 107

    public var description: String {
        switch self {
        case .unix(let path): "unix:\(path)"
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }
}
