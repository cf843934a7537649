import Glibc

/// Where a server listens.
public enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// A Unix socket's path, of 107 bytes at most (unix(7)).
    case unix(String)
    /// A host name or IP address and a TCP port; an empty host is every address.
    case tcp(host: String, port: UInt16)

    /// Why a text is no address, as a sentence.
    public struct Malformed: Error, CustomStringConvertible {
        public let description: String
    }

    /// Reads `unix:PATH`, `HOST:PORT` or `[IPv6]:PORT`.
    /// - Throws: `Malformed` with a sentence that says what is expected.
    public init(_ text: String) throws(Malformed) {
        if text.hasPrefix("unix:") {
            self = try .unix(path: String(text.dropFirst(5)))
        } else {
            self = try .tcp(text)
        }
    }

    private static func unix(path: String) throws(Malformed) -> ListenAddress {
        guard !path.isEmpty, path.utf8.count <= longestPath else {
            throw Malformed(
                description: "a Unix socket's path has 1 to \(longestPath) bytes, not \(path.utf8.count): \(path)")
        }
        guard !path.utf8.contains(0) else { throw Malformed(description: "a Unix socket's path has no NUL in it") }
        return .unix(path)
    }

    private static func tcp(_ text: String) throws(Malformed) -> ListenAddress {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw Malformed(description: "expected unix:PATH, HOST:PORT or [IPv6]:PORT to listen on, not \"\(text)\"")
        }
        var host = text[..<colon]
        // By bytes: a bracket and a mark that combines with it are one character.
        if host.utf8.first == UInt8(ascii: "["), host.utf8.last == UInt8(ascii: "]") {
            host = Substring(host.utf8.dropFirst().dropLast())
            guard host.utf8.contains(UInt8(ascii: ":")) else {
                throw Malformed(description: "only an IPv6 address is written in brackets: \"\(text)\"")
            }
        }
        guard !host.utf8.contains(where: { "[]\0".utf8.contains($0) }) else {
            throw Malformed(description: "a host's name has neither brackets nor NUL in it: \"\(text)\"")
        }
        return .tcp(host: String(host), port: port)
    }

    /// The most bytes that fit into `sockaddr_un.sun_path` before its NUL.
    static let longestPath = 107

    public var description: String {
        switch self {
        case .unix(let path): "unix:\(path)"
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }
}
