import TestSupport
import Testing

@testable import FastCGI

@Suite struct RequestGuardTests {
    /// Lets a guard parse bytes, all at once or in steps.
    private func examine(_ bytes: [UInt8], step: Int? = nil, limits: Limits = Limits()) throws -> RequestGuard {
        var requestGuard = RequestGuard(limits: limits)
        var end = 0
        while end < bytes.count {
            end = min(end + (step ?? bytes.count), bytes.count)
            try bytes[..<end].withUnsafeBytes { try requestGuard.examine($0) }
        }
        return requestGuard
    }

    private func violation(_ bytes: [UInt8], limits: Limits = Limits()) -> RequestGuard.Violation? {
        do {
            _ = try examine(bytes, limits: limits)
            return nil
        } catch { return error as? RequestGuard.Violation }
    }

    @Test func `a complete request is recognized, and its size is known`() throws {
        let bytes = Records.request("POST", "/campaigns/", body: Array("{}".utf8))
        let requestGuard = try examine(bytes)
        #expect(requestGuard.stage == .complete)
        #expect(requestGuard.offset == bytes.count)
        #expect(requestGuard.bodyBytes == 2)
        #expect(requestGuard.declaredBytes == 2)
    }

    @Test(arguments: [1, 2, 7, 8, 9, 64]) func `a request that arrives piece by piece is complete only at its end`(
        step: Int
    ) throws {
        let bytes = Records.request("POST", "/", body: [UInt8](repeating: 65, count: 300), size: 50)
        #expect(try examine(bytes.dropLast(), step: step).stage == .stdin)
        let requestGuard = try examine(bytes, step: step)
        #expect(requestGuard.stage == .complete)
        #expect(requestGuard.bodyBytes == 300)
    }

    @Test func `bytes that follow a request are not parsed`() throws {
        let bytes = Records.request("GET", "/")
        #expect(try examine(bytes + [9, 9, 9, 9, 9, 9, 9, 9, 9]).offset == bytes.count)
    }

    @Test func `a request is not complete before its STDIN stream ends`() throws {
        let bytes = Records.request("GET", "/")
        #expect(try examine(bytes.dropLast(8)).stage == .stdin)
        #expect(try examine(bytes.dropLast(16)).stage == .params)
    }

    @Test(arguments: [2, 4, 5, 8, 9, 11, 255] as [UInt8]) func `the first record must be BEGIN_REQUEST`(type: UInt8) {
        var records = Records()
        records.add(type, [0, 1, 0, 0, 0, 0, 0, 0])
        #expect(violation(records.bytes) == .beginExpected(type: type))
    }

    @Test func `BEGIN_REQUEST of another size, or with request id 0, is rejected`() {
        var short = Records()
        short.add(1, [0, 1, 0])
        #expect(violation(short.bytes) == .beginExpected(type: 1))
        var anonymous = Records()
        anonymous.begin(id: 0)
        #expect(violation(anonymous.bytes) == .beginExpected(type: 1))
    }

    @Test func `another protocol version is rejected`() {
        var records = Records()
        records.add(1, [0, 1, 0, 0, 0, 0, 0, 0], version: 2)
        #expect(violation(records.bytes) == .version(2))
    }

    @Test(arguments: [0, 2, 3, 9] as [UInt8]) func `roles other than responder are rejected`(role: UInt8) {
        var records = Records()
        records.begin(role: role)
        #expect(violation(records.bytes) == .role(UInt16(role)))
    }

    @Test func `the management record that overflows libfcgi's buffer is rejected`() {
        var records = Records()
        records.begin()
        records.add(9, Records.pairs([(String, String)](repeating: ("FCGI_MAX_CONNS", ""), count: 5)), id: 0)
        #expect(violation(records.bytes + [0]) == .unexpected(type: 9))
    }

    @Test func `the lengths that make libfcgi abort are rejected`() {
        var records = Records()
        records.begin()
        records.stream(4, [0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xfe])
        #expect(violation(records.bytes) == .invalidLength)
    }

    @Test(arguments: [[5], [5, 0], [1, 200, 65], [0x80, 0, 0], [2, 0, 65]] as [[UInt8]])
    func `a name or value that ends beyond the stream is rejected`(content: [UInt8]) {
        var records = Records()
        records.begin()
        records.stream(4, content)
        #expect(violation(records.bytes) == .invalidLength)
    }

    @Test func `a record of another request in between is rejected`() {
        var records = Records()
        records.begin()
        records.add(4, [], id: 2)
        #expect(violation(records.bytes) == .unexpected(type: 4))
    }

    @Test func `ABORT_REQUEST is rejected`() {
        var records = Records()
        records.begin()
        records.add(2, [])
        #expect(violation(records.bytes) == .unexpected(type: 2))
    }

    @Test func `params that are split between records are read as one stream`() throws {
        let bytes = Records.request(
            "POST", "/", body: [1, 2, 3], params: [("HTTP_X", String(repeating: "x", count: 500))], size: 3)
        #expect(try examine(bytes).declaredBytes == 3)
    }

    @Test func `params over the limit are rejected before they have arrived`() {
        var records = Records()
        records.begin()
        records.add(4, [UInt8](repeating: 0, count: 1000))
        #expect(violation(Array(records.bytes.prefix(24)), limits: Limits(paramsBytes: 999)) == .paramsTooLarge)
    }

    @Test func `a body is compared with its declared length`() throws {
        let body: [UInt8] = [1, 2, 3]
        #expect(try examine(Records.request("POST", "/", body: body)).bodyHasDeclaredLength)
        #expect(try !examine(Records.request("POST", "/", body: body, declaring: 4)).bodyHasDeclaredLength)
        #expect(try !examine(Records.request("POST", "/", body: body, declaring: 2)).bodyHasDeclaredLength)
        #expect(try !examine(Records.request("POST", "/", body: body, declaring: -3)).bodyHasDeclaredLength)
    }

    @Test func `a body is too large when its declared or its actual length exceeds the limit`() throws {
        let limits = Limits(bodyBytes: 4)
        #expect(try !examine(Records.request("POST", "/", body: [1, 2, 3, 4]), limits: limits).bodyIsTooLarge)
        #expect(try examine(Records.request("POST", "/", body: [1, 2, 3, 4, 5]), limits: limits).bodyIsTooLarge)
        #expect(try examine(Records.request("POST", "/", body: [1], declaring: 5), limits: limits).bodyIsTooLarge)
    }

    @Test func `random bytes never trap`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var bytes = (0..<Int.random(in: 0...200)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if Bool.random() { bytes = Array(Records.request("GET", "/").prefix(.random(in: 8...40))) + bytes }
            _ = violation(bytes)
        }
    }
}
