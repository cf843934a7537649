import Authentication
import EventLoop
import TestSupport
import Testing

@testable import JWTAuthentication

/// Fetching keys from providers that behave, or misbehave.
@Suite struct KeySourceTests {
    private func load(_ keys: IdentityProvider.Keys) throws -> String {
        try Loop.run {
            do {
                let bytes = try await keys.load()
                return bytes.count > 100 ? "\(bytes.count) bytes" : String(decoding: bytes, as: UTF8.self)
            } catch { return "\(error)" }
        }
    }

    /// Fetches keys from an HTTP server whose GET handler runs `response`, which is Python code.
    /// - Returns: the body or the error, and the duration in seconds. A body above 100 bytes is replaced with its size.
    private func fetch(_ response: String) throws -> (outcome: String, seconds: Double) {
        let port = try Socket.freePort()
        let folder = try Folder()
        let script = """
            import http.server, time
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    \(response)
                def say(self, status, body, *headers):
                    self.send_response(status)
                    for name, value in headers: self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)
            http.server.HTTPServer(("127.0.0.1", \(port)), Handler).serve_forever()
            """
        let provider = try Child(["python3", "-c", script], output: "\(folder.path)/log")
        defer { provider.signal(15) }
        try waitUntil("the provider listens: \(provider.log)") { (try? Socket(port: port)) != nil }
        let start = Instant.now
        let outcome = try load(.url("http://127.0.0.1:\(port)/jwks?[a]{b}", environment: [:]))
        return (outcome, Double(Instant.now.nanoseconds(since: start)) / 1e9)
    }

    @Test func `a document is fetched unchanged`() throws {
        #expect(try fetch(#"self.say(200, b'{"keys":[]}')"#).outcome == #"{"keys":[]}"#)
        #expect(try fetch("self.say(200, self.path.encode())").outcome == "/jwks?[a]{b}")
    }

    @Test(arguments: [302, 304, 401, 404, 500, 204]) func `a status other than 200 is a failure`(status: Int) throws {
        let outcome = try fetch("self.say(\(status), b'', ('Location', 'http://127.0.0.1:1/'))").outcome
        #expect(outcome.hasPrefix("curl failed: ") && outcome.hasSuffix("\(status)"), "\(outcome)")
    }

    @Test func `a document of ten megabytes is not read to its end`() throws {
        #expect(try fetch("self.say(200, b'x' * 10_000_000)").outcome == "1000001 bytes")
        let message = try fetch("self.say(200, b'x' * 10_000_000, ('Content-Length', '10000000'))").outcome
        #expect(message.hasPrefix("curl failed: curl: (63)"), "\(message)")
    }

    @Test(arguments: [
        "time.sleep(60)", "self.say(200, b''), [(self.wfile.write(b'x'), time.sleep(0.1)) for _ in range(600)]",
    ])
    func `fetching times out after five seconds`(response: String) throws {
        let (outcome, seconds) = try fetch(response)
        #expect(outcome.hasPrefix("curl failed: ") && (4...9).contains(seconds), "\(outcome) \(seconds)")
    }

    @Test func `a provider that is down is a failure, with the message of curl`() throws {
        let port = try Socket.freePort()
        let outcome = try load(.url("http://127.0.0.1:\(port)/", environment: [:]))
        #expect(outcome.hasPrefix("curl failed: curl: (7) "))
        // Nothing listens on the port, so that no certificate is needed.
        #expect(try load(.url("https://127.0.0.1:\(port)/", environment: [:])).hasPrefix("curl failed: curl: (7) "))
    }

    @Test func `a file is read, but not more than a megabyte of it`() throws {
        let folder = try Folder()
        try run(["sh", "-c", "printf '{}' >\(folder.path)/small; head -c 2000000 /dev/zero >\(folder.path)/large"])
        #expect(try load(.file("\(folder.path)/small")) == "{}")
        #expect(try load(.file("\(folder.path)/large")) == "1000001 bytes")
        #expect(try load(.file("\(folder.path)/none")).hasPrefix("open \(folder.path)/none: "))
        #expect(try load(.file(folder.path)).hasPrefix("read keys: "))
    }
}
