import EventLoop
import Foundation
import TestSupport
import Testing
import Web

@testable import FastCGI

@Suite struct FairnessTests {
    @Test func `large requests that arrived earlier do not delay a small one`() throws {
        let tally = Tally()
        let handledBefore = try withServer(peers: 34) { routes in
            routes.post("/") { _ in
                tally.count += 1
                usleep(2000)  // Work that blocks the loop.
                return .json("done")
            }
            routes.get("/block") { _ in
                usleep(300_000)
                return .json("done")
            }
            routes.get("/count") { _ in .json(Int64(tally.count)) }
        } _: { peers in
            peers[33].send(Records.request("GET", "/block"))
            usleep(50_000)
            let large = Records.request("POST", "/", body: [UInt8](repeating: 1, count: 90_000))
            for peer in peers[..<32] { peer.send(large) }
            peers[32].send(Records.request("GET", "/count"))
            let handledBefore = Int(readResponse(from: peers[32]).body.dropLast()) ?? .max
            for peer in peers[..<32] { #expect(readResponse(from: peer).status == 200) }
            return handledBefore
        }
        // Zero, unless receiving the large requests took a whole loop iteration.
        #expect(handledBefore < 16)
    }

    @Test func `responses that peers do not read take a bounded number of bytes`() throws {
        let responses = try withServer(peers: 24, limits: Limits(outputBacklogBytes: 10 << 20)) { routes in
            routes.get("/long") { _ in Response(.ok, body: .bytes([UInt8](repeating: 120, count: 3 << 20))) }
            routes.post("/long") { _ in Response(.ok, body: .bytes([UInt8](repeating: 120, count: 3 << 20))) }
            routes.get("/") { _ in .json("here") }
        } _: { peers in
            for peer in peers[..<20] { peer.send(Records.request("GET", "/long")) }
            peers[20].send(Records.request("POST", "/long"))
            peers[21].send(Records.request("GET", "/"))
            let others = [readResponse(from: peers[20]), readResponse(from: peers[21])]
            let all = peers[..<20].map { readResponse(from: $0) }
            peers[22].send(Records.request("GET", "/long"))
            return (all, others, readResponse(from: peers[22]))
        }
        let (all, others, last) = responses
        #expect(all.map(\.status) == [200, 200, 200] + [Int](repeating: 503, count: 17))
        #expect(
            all[3].headers["retry-after"] == "1" && all[3].body.contains("Too many responses are waiting to be read."))
        #expect(others.map(\.status) == [502, 200] && others[0].headers["retry-after"] == nil)
        #expect(last.status == 200 && last.body.utf8.count == 3 << 20)
    }

    @Test func `a listening socket that could not be watched for a while accepts connections again`() throws {
        let path = "\(NSTemporaryDirectory())aktify-\(UUID().uuidString).sock"
        defer { unlink(path) }
        let status = try Loop.run {
            let loop = Loop.current!  // Sound: `run` is on a loop.
            var application = Application()
            var blueprint = Blueprint("test")
            blueprint.get("/") { _ in .json("here") }
            try application.mount(blueprint, at: "/")
            let server = Server(application: application, loop: loop, log: .init(label: "test"))
            let old = try Socket(listeningOn: path + ".old")
            let descriptor = dup(old.descriptor)
            unlink(path + ".old")
            try server.listen(on: ListeningSocket(descriptor: descriptor))
            // Accepting fails; then watching fails, because epoll rejects a regular file.
            shutdown(descriptor, Int32(SHUT_RDWR))
            try await loop.sleep(for: .milliseconds(30))
            let file = open("/proc/self/exe", O_RDONLY)
            dup2(file, descriptor)
            close(file)
            try await loop.sleep(for: .milliseconds(250))
            withExtendedLifetime(old) {}
            let listener = try Socket(listeningOn: path)
            dup2(listener.descriptor, descriptor)
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            let status = try await loop.offload {
                let peer = try Socket(path: path)
                peer.send(Records.request("GET", "/"))
                return readResponse(from: peer).status
            }
            return withExtendedLifetime((listener, server)) { status }
        }
        #expect(status == 200)
    }
}
