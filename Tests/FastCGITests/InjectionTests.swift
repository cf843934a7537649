import Foundation
import TestSupport
import Testing
import Web

@testable import FastCGI

@Suite struct InjectionTests {
    private static let routes: @Sendable (inout Blueprint) -> Void = { routes in
        routes.get("/things/") { .json([$0.target, $0.url("/x"), $0.id]) }
        routes.post("/things/") { .json($0.id, headers: [.location: $0.url("/things/1")]) }
    }

    @Test(arguments: [
        "HTTP_HOST", "HTTP_ORIGIN", "HTTP_X_REQUEST_ID", "REQUEST_ID", "REQUEST_SCHEME", "SERVER_NAME", "SERVER_PORT",
        "HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "HTTP_ACCESS_CONTROL_REQUEST_METHOD",
    ])
    func `no param can add a line to the head of a response`(name: String) throws {
        for value in ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1", "\r\n\r\nX-Evil: 1", "a\u{0}X-Evil: 1"] {
            for (method, target) in [("GET", "/things"), ("POST", "/things/"), ("OPTIONS", "/things/")] {
                let response = try withServer(Self.routes) { peers in
                    peers[0].send(Records.request(method, target, params: [(name, value)]))
                    return readResponse(from: peers[0])
                }
                #expect(response.status < 400 && response.headers["x-evil"] == nil)
                #expect(!response.headers.values.contains { $0.unicodeScalars.contains { $0 == "\r" || $0 == "\n" } })
            }
        }
    }

    @Test func `a target with line breaks adds none to the head of a redirect`() throws {
        let response = try withServer(Self.routes) { peers in
            peers[0].send(Records.request("GET", "/things?a\r\nX-Evil: 1"))
            return readResponse(from: peers[0])
        }
        #expect(response.status == 308 && response.headers["x-evil"] == nil)
    }

    @Test func `bytes of a target that are not UTF-8 are percent-encoded, not replaced`() throws {
        var records = Records()
        records.begin()
        var params: [UInt8] = []
        for (name, value) in [
            ("REQUEST_METHOD", Array("GET".utf8)), ("REQUEST_URI", Array("/things/?n=".utf8) + [0xc3, 0xa4, 0xff]),
        ] {
            params += Records.length(name.utf8.count) + Records.length(value.count) + Array(name.utf8) + value
        }
        records.stream(4, params)
        records.stream(5, [])
        let bytes = records.bytes
        let response = try withServer(Self.routes) { peers in
            peers[0].send(bytes)
            return readResponse(from: peers[0])
        }
        #expect(response.body.contains("/things/?n=%C3%A4%FF"))
    }

    @Test func `params of random bytes never trap, and each request gets a response`() throws {
        let statuses = try withServer(Self.routes) { peers in
            (0..<1000).map { _ in
                var records = Records()
                records.begin()
                records.stream(4, (0..<Int.random(in: 0...4)).flatMap { _ in Self.randomPair() }, size: 20)
                records.stream(5, [])
                peers[0].send(records.bytes)
                return readResponse(from: peers[0]).status
            }
        }
        #expect(statuses.allSatisfy { $0 >= 200 })
    }

    private static func randomPair() -> [UInt8] {
        let names = [
            "REQUEST_METHOD", "REQUEST_URI", "HTTP_HOST", "HTTP_\u{fe}", "HTTP_", "REQUEST_ID", "HTTP_ORIGIN", "",
        ]
        let name =
            Array((names.randomElement() ?? "").utf8) + (Int.random(in: 0...3) == 0 ? [.random(in: 0...255)] : [])
        let value = (0..<Int.random(in: 0...40)).map { _ in UInt8.random(in: 0...255) }
        return Records.length(name.count) + Records.length(value.count) + name + value
    }
}
