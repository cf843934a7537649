import EventLoop
import Foundation
import TestSupport
import Testing
import Web

@testable import FastCGI

@Suite struct PipeliningTests {
    /// Busy-waits, so that the peer's next bytes arrive within microseconds.
    private func spin(_ microseconds: Int) {
        let end = Instant.now.advanced(by: .microseconds(microseconds))
        while Instant.now < end {}
    }

    @Test func `bytes that arrive while a request is being read belong to the next one`() throws {
        let wrong = try withServer {
            $0.get("/<n>") { .json($0.parameter("n")) }
        } _: { peers in
            let peer = peers[0]
            let end = Instant.now.advanced(by: .seconds(2))
            var round = 0
            while Instant.now < end {
                round += 1
                let first = Records.request("GET", "/\(round)a")
                let bytes = first + Records.request("GET", "/\(round)b")
                var start = 0
                // Usually cuts at the first request's end, where bytes can get lost.
                for cut in [Bool.random() ? first.count : .random(in: 1..<bytes.count), bytes.count] where cut > start {
                    peer.send(Array(bytes[start..<cut]))
                    spin(.random(in: 0...40))
                    start = cut
                }
                let responses = [readResponse(from: peer).body, readResponse(from: peer).body]
                if responses != ["\"\(round)a\"\n", "\"\(round)b\"\n"] { return "round \(round): \(responses)" }
            }
            return ""
        }
        #expect(wrong == "")
    }

    @Test func `many requests in one packet, and a part of another, all get responses in order`() throws {
        let bodies = try withServer {
            $0.get("/<n>") { .json($0.parameter("n")) }
        } _: { peers in
            let bytes = (0..<700).flatMap { Records.request("GET", "/\($0)") }
            peers[0].send(Array(bytes.dropLast(5)))
            usleep(10_000)
            peers[0].send(Array(bytes.suffix(5)))
            return (0..<700).map { _ in readResponse(from: peers[0]).body }
        }
        #expect(bodies == (0..<700).map { "\"\($0)\"\n" })
    }

    @Test(arguments: [65_536, 131_072]) func `a request that fills the memory to its last byte leaves no bytes behind`(
        size: Int
    ) throws {
        let bodies = try withServer {
            $0.post("/") { .json(Int64($0.body.count)) }
        } _: { peers in
            let empty = Records.request("POST", "/", body: [1], params: [("HTTP_X", "y")], size: 30_000).count
            var count = size - empty - 40
            while Records.request("POST", "/", body: [UInt8](repeating: 1, count: count), size: 30_000).count < size {
                count += 1
            }
            let request = Records.request("POST", "/", body: [UInt8](repeating: 1, count: count), size: 30_000)
            peers[0].send(request + request)
            return [
                readResponse(from: peers[0]).body == "\(count)\n", readResponse(from: peers[0]).body == "\(count)\n",
            ]
        }
        #expect(bodies == [true, true])
    }

    @Test func `the length of a discarded body is not passed on`() throws {
        var ends: [Int32] = [0, 0]
        try check("socketpair", socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends))
        let (socket, peer) = (Socket(adopting: ends[0]), Socket(adopting: ends[1]))
        let buffer = try RequestBuffer()
        var reader = RequestReader(limits: Limits(bodyBytes: 100))
        let bytes = Records.request("POST", "/", body: [UInt8](repeating: 1, count: 60_000), size: 1000)
        var bodies: [Int] = []
        for start in stride(from: 0, to: bytes.count, by: 10_000) {
            peer.send(Array(bytes[start..<min(start + 10_000, bytes.count)]))
            if case .request(let complete) = try reader.receive(from: socket.descriptor, into: buffer.memory) {
                #expect(complete.rejection?.status == .contentTooLarge && (complete.records?.count ?? 0) < 1000)
                bodies.append(complete.bodyBytes)
            }
        }
        #expect(bodies == [0])
    }
}
