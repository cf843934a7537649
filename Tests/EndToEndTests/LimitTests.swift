import TestSupport
import Testing

/// The rate limits in nginx. These tests lower them to a burst of three requests, and one request per minute after it.
/// The address of a client is taken from the `X-Forwarded-For` field of its request.
@Suite struct LimitTests {
    private let stack: Stack

    init() throws {
        stack = try Stack(edits: [
            "rate=1000r/s": "rate=1r/m", "burst=2000": "burst=2", "rate=500r/s": "rate=1r/m", "burst=1000": "burst=2",
            "server_tokens off;": "server_tokens off; set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;",
        ])
    }

    private func get(from address: String, _ headers: String..., target: String = "/") throws -> Answer {
        try stack.get(target, headers: ["X-Forwarded-For: \(address)"] + headers)
    }

    private func statuses(from addresses: [String], key: String? = nil) throws -> [Int] {
        try addresses.map {
            try stack.get("/", headers: ["X-Forwarded-For: \($0)"] + (key.map { ["Authorization: \($0)"] } ?? []))
                .status
        }
    }

    @Test func `a client over the limit gets 429 in the API's format, and others are not affected`() throws {
        #expect(try statuses(from: Array(repeating: "203.0.113.1", count: 4)) == [200, 200, 200, 429])
        let answer = try get(from: "203.0.113.1", "Origin: http://ui", "X-Request-Id: me", target: "/campaigns/")
        #expect(
            answer.status == 429
                && answer.body == #"{"message":"Too many requests. Slow down.","request_id":"me"}"# + "\n")
        #expect(answer.headers["content-type"] == "application/json" && answer.headers["retry-after"] == "1")
        #expect(answer.headers["access-control-allow-origin"] == "http://ui" && answer.headers["x-request-id"] == "me")
        let problem = try get(from: "203.0.113.1", "Accept: application/problem+json", target: "/ui/")
        #expect(problem.status == 429 && problem.headers["content-type"] == "application/problem+json")
        #expect(try stack.request("DELETE", "/campaigns/1", headers: ["X-Forwarded-For: 203.0.113.1"]).status == 429)
        #expect(try get(from: "203.0.113.2").status == 200)
    }

    @Test(arguments: ["127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "::1", "fd00::1", "fe80::1"])
    func `this machine and private networks are not limited`(address: String) throws {
        #expect(
            try statuses(from: Array(repeating: address, count: 5), key: "Bearer aktify_a") == [
                200, 200, 200, 200, 200,
            ])
    }

    @Test
    func `an IPv6 /64 network is one client, but each IPv6 address that embeds an IPv4 address is a separate one`()
        throws
    {
        let one = ["2001:db8:0:a::1", "2001:db8:0:a:ffff::", "2001:db8:0:a:0:a::", "2001:db8:0:a::2"]
        #expect(try statuses(from: one) == [200, 200, 200, 429])
        #expect(try get(from: "2001:db8:0:b::1").status == 200)
        #expect(try statuses(from: (1...5).map { "::ffff:203.0.113.\($0)" }) == [200, 200, 200, 200, 200])
        #expect(try statuses(from: ["2001:db8:a0a:a0a::1", "2001:db8:a0a:a0b::"]) == [200, 200])
    }

    @Test func `a key is limited across addresses, and others are not affected`() throws {
        let addresses = (1...4).map { "203.0.113.\($0)" }
        #expect(try statuses(from: addresses, key: "Bearer aktify_a") == [200, 200, 200, 429])
        for spelling in ["bearer aktify_a", "Bearer aktify_a\t", "\tBearer aktify_a \u{1}", "Bearer\u{7f}aktify_a"] {
            #expect(try get(from: "203.0.113.5", "Authorization: \(spelling)").status == 429)
        }
        #expect(try get(from: "203.0.113.5", "Authorization: Bearer aktify_b").status == 200)
        #expect(
            try statuses(from: (11...15).map { "203.0.113.\($0)" }, key: "Basic YTpi") == [200, 200, 200, 200, 200])
    }

    @Test func `a client that tries many keys is limited by its address`() throws {
        let tries = try (1...4).map { try get(from: "203.0.113.1", "Authorization: Bearer aktify_\($0)").status }
        #expect(tries == [200, 200, 200, 429])
        // Rejected requests do not count for the key, so nobody can use up the limit of another client's key.
        #expect(
            try statuses(from: Array(repeating: "203.0.113.1", count: 3), key: "Bearer aktify_4") == [429, 429, 429])
        #expect(try statuses(from: (2...4).map { "203.0.113.\($0)" }, key: "Bearer aktify_4") == [200, 200, 200])
    }
}
