import Foundation

/// A response that was received over a socket.
public struct Answer: Sendable {
    /// The status code; 0 if there was none.
    public let status: Int
    /// The header fields, by lowercase name. Of repeated fields, the last one.
    public let headers: [String: String]
    /// The body, with the transfer coding removed.
    public let body: String

    /// Parses an HTTP response, or a CGI response with a `Status` field.
    public init(_ bytes: [UInt8]) {
        let end = bytes.indices.first { bytes[$0...].starts(with: [13, 10, 13, 10]) } ?? bytes.count
        let lines = String(decoding: bytes[..<end], as: UTF8.self).components(separatedBy: "\r\n")
        var headers: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        let status = headers["status"] ?? String(lines[0].split(separator: " ").dropFirst().first ?? "")
        self.status = Int(status.prefix(3)) ?? 0
        self.headers = headers
        let rest = Array(bytes.dropFirst(end + 4))
        body = String(
            decoding: headers["transfer-encoding"] == "chunked" ? Self.joined(chunks: rest) : rest, as: UTF8.self)
    }

    private static func joined(chunks: [UInt8]) -> [UInt8] {
        var rest = chunks[...]
        var body: [UInt8] = []
        while let end = rest.firstIndex(of: 13),
            let count = Int(String(decoding: rest[..<end], as: UTF8.self), radix: 16), count > 0
        {
            body += rest.dropFirst(end + 2 - rest.startIndex).prefix(count)
            rest = rest.dropFirst(end + 2 - rest.startIndex + count + 2)
        }
        return body
    }
}

/// Reads one FastCGI response from a socket, up to its END_REQUEST record or the end of the connection, and no further.
public func readResponse(from socket: Socket) -> Answer {
    var output: [UInt8] = []
    while case let header = socket.receive(exactly: 8), header.count == 8, header[1] != 3 {
        let content = socket.receive(exactly: Int(header[4]) << 8 | Int(header[5]))
        if header[1] == 6 { output += content }
        _ = socket.receive(exactly: Int(header[6]))
    }
    _ = socket.receive(exactly: 8)  // The content of END_REQUEST.
    return Answer(output)
}
