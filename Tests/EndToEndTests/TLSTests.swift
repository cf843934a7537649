import Foundation
import TestSupport
import Testing

/// nginx with a self-signed certificate: HTTPS and HTTP on the same port.
@Suite struct TLSTests {
    private let folder: Folder
    private let stack: Stack

    init() throws {
        folder = try Folder()
        // The primary also serves as the replica, so that writes return a position.
        let replica = try TestDatabase().socketDirectory
        stack = try Stack(environment: ["TLS_DIR": "\(folder.path)/tls", "POSTGRES_READ_HOST": replica])
    }

    /// Sends a request over HTTPS.
    private func curl(_ target: String, _ options: String...) throws -> Answer {
        let certificate = "\(folder.path)/tls/fullchain.pem"
        let text = try run(
            ["curl", "-s", "-i", "--cacert", certificate, "https://localhost:\(stack.port)\(target)"] + options)
        return Answer(Array(text.utf8))
    }

    @Test func `HTTPS works, also with HTTP/2, and URLs in responses use it`() throws {
        for (option, version) in [("--http2", "HTTP/2 "), ("--http1.1", "HTTP/1.1 ")] {
            #expect(try run(["curl", "-sIk", option, "https://localhost:\(stack.port)/campaigns/"]).hasPrefix(version))
            let moved = try curl("/campaigns", option)
            #expect(moved.status == 308 && moved.headers["location"] == "https://localhost:\(stack.port)/campaigns/")
        }
        let made = try curl("/campaigns/", "-H", "Content-Type: application/json", "-d", #"{"name":"a"}"#)
        #expect(made.status == 201 && made.headers["location"] == "https://localhost:\(stack.port)/campaigns/1")
        #expect(made.headers["set-cookie"]?.hasSuffix("; SameSite=Lax; Secure") == true)
    }

    @Test func `every response over HTTPS has HSTS`() throws {
        let cases: [(String, [String], Int)] = [
            ("/", [], 200), ("/campaigns/", [], 200), ("/nowhere", [], 404), ("/campaigns/1", ["-X", "DELETE"], 404),
            ("/", ["-H", "Accept: text/html"], 303), ("/ui", [], 308), ("/ui/", [], 200), ("/ui/nothing", [], 404),
            ("/docs/", [], 200), ("/%zz", [], 400), ("/", ["-X", "TRACE"], 405),
        ]
        for (target, options, status) in cases {
            let text = try run(
                ["curl", "-s", "-i", "-k", "https://localhost:\(stack.port)\(target)"] + options)
            let answer = Answer(Array(text.utf8))
            #expect(answer.status == status, "\(target)")
            #expect(answer.headers["strict-transport-security"] == "max-age=31536000", "\(target)")
            #expect(answer.headers["x-content-type-options"] == "nosniff", "\(target)")
            #expect(text.lowercased().components(separatedBy: "nosniff").count == 2, "\(target)")
        }
    }

    @Test func `plain HTTP is redirected to HTTPS, with its method and body`() throws {
        let moved = try stack.get("/campaigns?a=%20b", headers: ["Origin: http://ui"])
        #expect(moved.status == 308 && moved.headers["content-type"] == "application/json")
        #expect(moved.headers["location"] == "https://localhost:\(stack.port)/campaigns?a=%20b")
        #expect(moved.headers["strict-transport-security"] == nil)
        let body = ["-L", "-H", "Content-Type: application/json", "-d", #"{"name":"a"}"#]
        let text = try run(
            [
                "curl", "-s", "-k", "-o", "/dev/null", "-w", "%{http_code} %{num_redirects} %{scheme}",
                "http://localhost:\(stack.port)/campaigns/",
            ] + body)
        #expect(text == "201 1 HTTPS")
        let nameless = try stack.send(Array("GET / HTTP/1.0\r\n\r\n".utf8))
        #expect(nameless.status == 400 && nameless.headers["location"] == nil)
    }

    @Test(arguments: [("1.1", false), ("1.2", true), ("1.3", true)])
    func `TLS 1.2 and 1.3 are supported, and nothing older`(version: String, isSpoken: Bool) throws {
        // At its default security level, the client's library would refuse 1.1 by itself.
        let (status, output) = try runToEnd([
            "curl", "-sSk", "-o", "/dev/null", "--ciphers", "DEFAULT@SECLEVEL=0", "--tlsv1.0", "--tls-max", version,
            "https://localhost:\(stack.port)/",
        ])
        #expect((status == 0) == isSpoken && output.contains("alert protocol version") == !isSpoken, "\(output)")
    }

    @Test func `without a certificate there is only plain HTTP, and no HSTS`() throws {
        let plain = try Stack()
        for target in ["/", "/ui/", "/nowhere"] {
            #expect(try plain.get(target).headers["strict-transport-security"] == nil)
        }
    }
}
