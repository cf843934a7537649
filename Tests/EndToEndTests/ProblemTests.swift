import Foundation
import TestSupport
import Testing

/// nginx's own errors as problem details (RFC 9457), for clients that accept them.
@Suite struct ProblemTests {
    private let stack: Stack

    init() throws { stack = try Stack() }

    @Test func `an error of nginx is a problem for a client that accepts one, and plain JSON for others`() throws {
        let cases: [(request: String, fields: String, status: Int, title: String, message: String)] = [
            ("GET / HTTP/1.1", "", 400, "Bad Request", "The request is malformed."),
            ("GET /_once HTTP/1.1", "Host: x\r\n", 404, "Not Found", "Not found."),
            ("TRACE / HTTP/1.1", "Host: x\r\n", 405, "Method Not Allowed", "The method is not allowed here."),
            (
                "GET / HTTP/1.1", "Host: x\r\nX: \(Self.long)\r\n", 431, "Request Header Fields Too Large",
                "The header fields are too large."
            ),
            (
                "POST / HTTP/1.1", "Host: x\r\nTransfer-Encoding: odd\r\n", 501, "Not Implemented",
                "This is not supported."
            ),
        ]
        for (request, fields, status, title, message) in cases {
            try expect(status, title, message) {
                let asked = $0.map { $0 + "\r\n" }.joined()
                return try stack.send(Array("\(request)\r\nConnection: close\r\n\(asked)\(fields)\r\n".utf8))
            }
        }
    }

    @Test func `a body that is too large is rejected with 413 in both formats`() throws {
        let body = String(repeating: "x", count: 1 << 20 + 1)
        try expect(413, "Content Too Large", "The body may have 1048576 bytes at most.") {
            try stack.request("POST", "/campaigns/", headers: $0, body: body)
        }
    }

    @Test func `a client that may not see the status gets 403 in both formats`() throws {
        try expect(403, "Forbidden", "Forbidden.") { fields in
            let url = "http://127.0.0.1:\(stack.port)/status"
            let headers = (["Connection: close"] + fields).flatMap { ["-H", $0] }
            return Answer(Array(try run(["curl", "-s", "-i", "--interface", "127.0.0.2"] + headers + [url]).utf8))
        }
    }

    @Test func `without a worker, a request is answered with 503 and Retry-After in both formats`() throws {
        stack.worker.signal(SIGKILL)
        _ = stack.worker.wait(seconds: 5)
        for method in ["GET", "PUT", "POST"] {
            let message = "The service is not available. Try again in a moment."
            let problem = try expect(503, "Service Unavailable", message) {
                try stack.request(method, "/campaigns/1", headers: $0, body: "{}")
            }
            #expect(problem.headers["retry-after"] == "1")
        }
        let head = try stack.request("HEAD", "/", headers: ["Accept: application/problem+json"])
        #expect(head.status == 503 && head.body.isEmpty && head.headers["content-type"] == "application/problem+json")
    }

    @Test func `a request whose worker dies is answered with 502, and both formats say whether the outcome is unknown`()
        throws
    {
        let listener = try stack.replaceWorker()
        Thread.detachNewThread {
            while case let descriptor = accept(listener.descriptor, nil, nil), descriptor >= 0 {
                _ = Socket(adopting: descriptor).receive()
            }
        }
        let cases = [
            ("GET", "Try again in a moment.", "1"), ("POST", "The request may have been carried out, or not.", nil),
            ("PUT", "The request may have been carried out, or not.", nil),
        ]
        for (method, advice, delay) in cases {
            let problem = try expect(502, "Bad Gateway", "The service did not answer. \(advice)") {
                try stack.request(method, "/campaigns/1", headers: $0, body: method == "GET" ? nil : "{}")
            }
            #expect(problem.headers["retry-after"] == delay)
        }
    }

    @Test func `a problem is accepted by its exact media type, with a weight other than zero`() throws {
        let cases = [
            ("APPLICATION/Problem+JSON", true), ("text/html,application/problem+json;q=0.5", true),
            ("application/problem+json ; q=0.01, */*", true), ("application/problem+json;charset=utf-8", true),
            ("application/problem+json, application/json;q=0", true), ("application/json", false), ("*/*", false),
            ("application/*", false), ("application/problem+json;q=0", false),
            ("application/problem+json; Q=0.000, application/json", false),
            ("application/problem+json;charset=utf-8;q=0.", false), ("application/problem+jsonp", false),
            ("x-application/problem+json", false), ("", false),
        ]
        for (accept, isAsked) in cases {
            let answer = try stack.get("/_once", headers: ["Accept: \(accept)"])
            #expect(answer.status == 404)
            let type = isAsked ? "application/problem+json" : "application/json"
            #expect(answer.headers["content-type"] == type, "\(accept)")
            #expect(answer.body.hasPrefix(isAsked ? #"{"detail":"# : #"{"message":"#), "\(accept)")
        }
    }

    @Test func `an error before nginx has read Accept is plain JSON`() throws {
        let cases = [
            ("GET /%zz HTTP/1.1\r\nHost: x", 400), ("GET /\(Self.long) HTTP/1.1\r\nHost: x", 414),
            ("GET / HTTP/1.1\r\nHost: x\r\nX: \(Self.long)", 431), ("GET / HTTP/3.0\r\nHost: x", 505),
        ]
        for (start, status) in cases {
            let answer = try stack.send(Array("\(start)\r\nAccept: application/problem+json\r\n\r\n".utf8))
            #expect(answer.status == status && answer.headers["content-type"] == "application/json")
            #expect(answer.body.hasPrefix(#"{"message":""#) && answer.body.hasSuffix("\"}\n"))
        }
    }

    /// A string that exceeds nginx's limit of 8 KiB for the request line and for each header field.
    private static let long = String(repeating: "x", count: 9000)

    /// Checks that an error is reported as plain JSON or as problem details, depending on the `Accept` field. The other
    /// header fields must be the same, except those that describe the content.
    /// - Parameter ask: sends a request that causes the error, with the given header fields.
    /// - Returns: the response with the problem details.
    @discardableResult
    private func expect(_ status: Int, _ title: String, _ message: String, ask: ([String]) throws -> Answer) throws
        -> Answer
    {
        let fields = ["X-Request-Id: me", "Origin: http://ui"]
        let plain = try ask(fields + ["Accept: */*"])
        #expect(plain.status == status)
        #expect(plain.headers["content-type"] == "application/json")
        #expect(plain.body == #"{"message":"\#(message)","request_id":"me"}"# + "\n")
        #expect(plain.headers["access-control-allow-origin"] == "http://ui" && plain.headers["vary"] == "Origin")
        let problem = try ask(fields + ["Accept: application/problem+json"])
        #expect(problem.status == status)
        #expect(problem.headers["content-type"] == "application/problem+json")
        let start = #"{"detail":"\#(message)","message":"\#(message)","request_id":"me","#
        #expect(problem.body == start + #""status":\#(status),"title":"\#(title)","type":"about:blank"}"# + "\n")
        func others(_ answer: Answer) -> [String: String] {
            answer.headers.filter { !["content-type", "content-length", "date"].contains($0.key) }
        }
        #expect(others(problem) == others(plain))
        return problem
    }
}
