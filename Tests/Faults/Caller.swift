import Foundation
import TestSupport

/// A connection to nginx or to a worker, over which requests are sent and responses are read.
final class Caller {
    let transport: Transport
    let opened = now()
    private let socket: Socket
    private var input: [UInt8] = []
    /// The number of responses that were read.
    private(set) var answers = 0

    init(_ stack: Stack, _ transport: Transport) throws {
        self.transport = transport
        socket = transport == .nginx ? try Socket(port: stack.port) : try Socket(path: stack.socketPath)
        socket.setTimeLimit(seconds: Caller.timeout)
    }

    /// The timeout of each read and write on the socket, in seconds: longer than any deadline of the service.
    static let timeout = 15

    static func bytes(_ route: Route, _ token: String, _ transport: Transport, keep: Bool) -> [UInt8] {
        let parts = route.parts(token: token)
        let hasBody = parts.method == "POST" || parts.method == "PATCH"
        guard transport == .nginx else {
            let params = [("HTTP_HOST", "localhost"), ("HTTP_X_REQUEST_ID", token)]
            return Records.request(
                parts.method, parts.target, body: parts.body, declaring: hasBody ? parts.body.count : nil, keep: keep,
                params: params + (hasBody ? [("CONTENT_TYPE", parts.type)] : []))
        }
        var lines = ["\(parts.method) \(parts.target) HTTP/1.1", "Host: localhost", "X-Request-Id: \(token)"]
        if hasBody { lines += ["Content-Type: \(parts.type)", "Content-Length: \(parts.body.count)"] }
        if !keep { lines.append("Connection: close") }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + parts.body
    }

    /// Sends bytes; with a `size`, in pieces of that size, with a pause after each.
    /// - Returns: whether all bytes were sent.
    func send(_ bytes: [UInt8], pieces size: Int? = nil) -> Bool {
        guard let size else { return socket.send(bytes) }
        for start in stride(from: 0, to: bytes.count, by: size) {
            guard socket.send(Array(bytes[start..<min(start + size, bytes.count)])) else { return false }
            pause(0.003)
        }
        return true
    }

    /// Reads the response to a request.
    func read(_ route: Route) -> Outcome {
        let began = now()
        guard let answer = transport == .nginx ? readHTTP(isHead: route == .head) : readFastCGI() else {
            return now() - began >= Double(Caller.timeout) - 0.5 ? .timedOut : .cut("after \(input.count) bytes")
        }
        answers += 1
        return .answered(answer)
    }

    private func fill() -> Bool {
        let bytes = socket.receive()
        input += bytes
        return !bytes.isEmpty
    }

    private func take(_ count: Int) -> [UInt8]? {
        while input.count < count { guard fill() else { return nil } }
        defer { input.removeFirst(count) }
        return Array(input[..<count])
    }

    private func readFastCGI() -> Answer? {
        var output: [UInt8] = []
        while let header = take(8) {
            guard let content = take(Int(header[4]) << 8 | Int(header[5])), take(Int(header[6])) != nil else { break }
            if header[1] == 6 { output += content }
            if header[1] == 3 { return Answer(output) }
        }
        return nil
    }

    private func readHTTP(isHead: Bool) -> Answer? {
        var searched = 0
        while true {
            if let end = headEnd(from: searched) { return body(of: end, isHead: isHead) }
            searched = max(0, input.count - 3)
            guard fill() else { return nil }
        }
    }

    private func headEnd(from start: Int) -> Int? {
        guard input.count >= start + 4 else { return nil }
        return (start...(input.count - 4)).first { input[$0..<($0 + 4)].elementsEqual([13, 10, 13, 10]) }.map { $0 + 4 }
    }

    private func body(of end: Int, isHead: Bool) -> Answer? {
        guard let head = take(end) else { return nil }
        let headers = Answer(head).headers
        if isHead || headers["content-length"] == "0" { return Answer(head) }
        if let length = headers["content-length"].flatMap({ Int($0) }) { return take(length).map { Answer(head + $0) } }
        guard headers["transfer-encoding"] == "chunked" else { return Answer(head) }
        var body: [UInt8] = []
        while let size = chunkSize() {
            guard let chunk = take(size + 2) else { return nil }
            if size == 0 { return Answer(head + body + Array("0\r\n\r\n".utf8)) }
            body += Array("\(String(size, radix: 16))\r\n".utf8) + chunk
        }
        return nil
    }

    private func chunkSize() -> Int? {
        while !input.contains(10) { guard fill() else { return nil } }
        guard let end = input.firstIndex(of: 10), let line = take(end + 1) else { return nil }
        return Int(String(decoding: line.dropLast(2), as: UTF8.self), radix: 16)
    }
}
