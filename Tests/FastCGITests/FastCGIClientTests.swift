import Glibc
import TestSupport
import Testing

@testable import FastCGI

@Suite struct FastCGIClientTests {
    @Test(.timeLimit(.minutes(1))) func `connecting to a full accept queue times out`() throws {
        let path = "/tmp/aktify-client-\(getpid()).sock"
        defer { unlink(path) }
        let listener = try ListeningSocket.bind(.unix(path), backlog: 0)
        // A queue whose limit is 0 has room for one connection.
        let first = try Socket(path: path)
        #expect(throws: (any Error).self) { try FastCGIClient(.unix(path), seconds: 1).get("/") }
        withExtendedLifetime((listener, first)) {}
    }

    @Test func `when an address of the host refuses the connection, the next one is tried`() throws {
        let (listener, port) = try Socket.listening()
        let addresses = try ListeningSocket.resolve("127.0.0.1", UInt16(Socket.freePort()))
        defer { freeaddrinfo(addresses) }
        addresses.pointee.ai_next = try ListeningSocket.resolve("127.0.0.1", UInt16(port))
        let client = FastCGIClient(.tcp(host: "localhost", port: 0), seconds: 1)
        close(try client.connected(toOneOf: addresses))
        withExtendedLifetime(listener) {}
    }

    @Test func `a target that is too long is refused, not truncated`() {
        let target = "/" + String(repeating: "x", count: 127)
        #expect(throws: FastCGIClient.Failure.self) { try FastCGIClient(.unix("/nowhere"), seconds: 1).get(target) }
    }
}
