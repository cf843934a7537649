import FastCGI
import Glibc
import TestSupport
import Testing

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
}
