import Foundation
import TestSupport
import Testing

/// nginx in front of the workers: retries, nginx's own error responses, and its configuration.
@Suite struct FrontTests {
    @Test(arguments: [("PUT", 1), ("DELETE", 1), ("POST", 1), ("PATCH", 1), ("GET", 2)])
    func `a write is sent once, with an unknown outcome if the worker dies; a read is sent twice`(
        method: String, times: Int
    )
        throws
    {
        let stack = try Stack()
        let listener = try stack.replaceWorker()
        let sent = Thread.counting { FrontTests.lose(oneOf: listener) }
        let answer = try stack.request(method, "/campaigns/1", body: method == "GET" ? nil : "{}")
        try waitUntil("it was sent \(times) times: \(sent.count)") { sent.count >= times }
        #expect(sent.count == times)
        #expect(answer.status == 502 && answer.headers["retry-after"] == (method == "GET" ? "1" : nil))
        #expect(answer.body.contains("may have been carried out") == (method != "GET"))
        #expect(answer.headers["content-type"] == "application/json")
    }

    /// Accepts a connection, receives a complete FastCGI request, and closes the connection without responding.
    /// - Returns: whether a complete request was received.
    private static func lose(oneOf listener: Socket) -> Bool {
        let descriptor = accept(listener.descriptor, nil, nil)
        guard descriptor >= 0 else { return false }
        let connection = Socket(adopting: descriptor)
        while case let header = connection.receive(exactly: 8), header.count == 8 {
            let length = Int(header[4]) << 8 | Int(header[5])
            _ = connection.receive(exactly: length + Int(header[6]))
            if header[1] == 5, length == 0 { return true }
        }
        return false
    }

    @Test(arguments: ["GET", "PUT", "DELETE", "POST"])
    func `a request that reached no worker is answered with 503 and Retry-After`(method: String) throws {
        let stack = try Stack()
        withExtendedLifetime(try stack.replaceWorker()) {}
        let answer = try stack.request(method, "/campaigns/1", body: "{}")
        #expect(answer.status == 503 && answer.headers["retry-after"] == "1")
    }

    @Test func `nginx starts without a warning`() throws {
        let stack = try Stack(loops: 1)
        for log in ["nginx.log", "nginx-error.log"] {
            let text = try String(contentsOfFile: "\(stack.folder.path)/\(log)", encoding: .utf8)
            #expect(!text.contains("[warn]"), "\(text)")
        }
    }

    @Test func `PUT and DELETE reach the worker as they were sent`() throws {
        let stack = try Stack()
        for method in ["PUT", "DELETE"] {
            #expect(try stack.request(method, "/campaigns/1001?a=%20").status == (method == "PUT" ? 415 : 404))
            let missing = try stack.request(method, "/_once")
            #expect(missing.status == 404 && missing.body.contains("Not found."))
        }
        #expect(try stack.get("/_once").status == 404)
    }

    @Test func `nginx's own errors have the same CORS header fields as the worker's responses`() throws {
        let stack = try Stack(environment: ["CORS_ALLOW_ORIGINS": "https://ui.example.org, http://[::1]:8080"])
        let cases = [
            ("https://ui.example.org", true), ("http://[::1]:8080", true), ("https://uiXexample.org", false),
            ("https://UI.example.org", false), ("https://ui.example.org.evil", false), ("http://evil", false),
            (nil, false),
        ]
        for (origin, isAllowed) in cases {
            let field = origin.map { "Origin: \($0)\r\n" } ?? ""
            for (method, status) in [("GET", 404), ("TRACE", 405)] {
                let request = "\(method) /nowhere HTTP/1.1\r\nHost: x\r\n\(field)Connection: close\r\n\r\n"
                let answer = try stack.send(Array(request.utf8))
                #expect(answer.status == status)
                #expect(answer.headers["access-control-allow-origin"] == (isAllowed ? origin : nil))
                #expect(answer.headers["vary"] == "Origin")
            }
        }
    }

    @Test func `an invalid list of origins does not get into nginx's configuration`() throws {
        for origins in ["http://a;b", "http://\"", "http://$host", "http://a}", "http://a\\"] {
            let (status, output) = try runToEnd(["nginx/origins"], environment: ["CORS_ALLOW_ORIGINS": origins])
            #expect(status == 1 && output.hasPrefix("CORS_ALLOW_ORIGINS: expected "))
        }
    }
}

/// A counter that a thread increments.
private final class Count: @unchecked Sendable {
    // Safe: it is only accessed while the lock is held.
    private let lock = NSLock()
    private var value = 0

    var count: Int { lock.withLock { value } }
    func add() { lock.withLock { value += 1 } }
}

extension Thread {
    /// Calls `body` on a new thread until it returns false. Returns at once, with a counter of the calls that returned
    /// true.
    fileprivate static func counting(_ body: @escaping @Sendable () -> Bool) -> Count {
        let count = Count()
        detachNewThread { while body() { count.add() } }
        return count
    }
}
