import EventLoop
import FastCGI
import Glibc
import TestSupport
import Testing

@Suite struct ListenAddressTests {
    @Test func `a path, a host and an IPv6 address are distinguished`() throws {
        #expect(try ListenAddress("unix:/run/api:1.sock") == .unix("/run/api:1.sock"))
        #expect(try ListenAddress("127.0.0.1:9000") == .tcp(host: "127.0.0.1", port: 9000))
        #expect(try ListenAddress("[::1]:9000") == .tcp(host: "::1", port: 9000))
        #expect(try ListenAddress(":9000") == .tcp(host: "", port: 9000))
    }

    @Test(arguments: [
        "", "unix:", "api", "host:", "host:x", "host:70000", "[unix]:0", "unix:/" + String(repeating: "x", count: 107),
    ])
    func `a malformed address is rejected with an error`(text: String) {
        #expect(throws: ListenAddress.Malformed.self) { try ListenAddress(text) }
    }

    @Test func `binding says why it cannot tell whether a socket file is in use`() throws {
        let path = "/tmp/aktify-probe-\(getpid()).sock"
        defer { unlink(path) }
        // Connecting a stream to this socket fails with EPROTOTYPE.
        let datagrams = try Socket(receivingOn: path)
        #expect(throws: SystemError("connect to \(path)", code: EPROTOTYPE)) {
            try ListeningSocket.bind(.unix(path))
        }
        withExtendedLifetime(datagrams) {}
    }

    @Test func `a Unix socket's path may have 107 bytes`() throws {
        let path = "/" + String(repeating: "x", count: 106)
        #expect(try ListenAddress("unix:\(path)") == .unix(path))
    }
}
