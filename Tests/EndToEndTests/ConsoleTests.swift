import Foundation
import TestSupport
import Testing

/// The files of the web console as nginx serves them. Tests/Browser tests the console in a browser.
@Suite struct ConsoleTests {
    private static let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"

    @Test func `a browser is redirected from the root to the console, and a client gets the greeting`() throws {
        let stack = try Stack()
        let browsers = [
            Self.browser, "text/html", "application/xhtml+xml, text/html;charset=utf-8, */*;q=0.1",
            "TEXT/HTML ; q=1.0, */*; q=0.999",
            "text/html;q=0.5", "text/html;charset=utf-8;q=0.9, application/json;q=0.85",
            "application/json;q=0, text/html;q=0.1",
            "application/json;q=0.5, text/html", "text/html, application/json;q=0, */*",
        ]
        for accept in browsers {
            let answer = try stack.get("/", headers: ["Accept: \(accept)", "X-Request-Id: mine"])
            #expect(answer.status == 303 && answer.headers["location"] == "/ui/", "\(accept)")
            #expect(answer.headers["x-request-id"] == "mine" && answer.headers["vary"] == "Accept")
            #expect(answer.headers["access-control-allow-origin"] == "*")
        }
        let clients = [
            nil, "*/*", "application/json", "text/html, */*", "application/json, text/html", "text/html;q=0, */*;q=0.1",
            "text/html;q=0", "text/html; q=0.000", "text/plain", "application/xhtml+xml",
            "text/html-like, application/text/html",
            "application/json, text/html;q=0.1", "application/json;version=1, text/html",
            "application/json;q=1, text/html",
            "text/html;q=0.50, application/json;q=0.5", "text/html;q=0.8, */*;q=0.85",
            "text/html;q=0.9;charset=utf-8, */*",
        ]
        for accept in clients {
            let answer = try stack.get("/", headers: accept.map { ["Accept: \($0)"] } ?? [])
            #expect(answer.status == 200 && answer.body == "\"Hello, from Flask!\"\n", "\(accept ?? "no Accept")")
            #expect(answer.headers["vary"] == "Accept")
            #expect(answer.headers["content-type"] == "application/json")
        }
        #expect(try stack.request("POST", "/", headers: ["Accept: text/html"], body: "").status == 405)
        #expect(try stack.request("HEAD", "/", headers: ["Accept: text/html"]).status == 303)
    }

    @Test func `every file of the console has security header fields, and is revalidated on each use`() throws {
        let stack = try Stack()
        for target in ["/ui/", "/ui/new", "/ui/campaigns/12", "/ui/js/app.js", "/ui/css/tokens.css", "/ui/icon.svg"] {
            try expectGuarded(target, by: stack)
        }
    }

    private func expectGuarded(_ target: String, by stack: Stack) throws {
        let answer = try stack.get(target)
        #expect(answer.status == 200, "\(target)")
        let policy = try #require(answer.headers["content-security-policy"]).split(separator: "; ")
        #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"))
        #expect(policy.contains("script-src 'self'") && policy.contains("style-src 'self'"))
        #expect(!policy.contains { $0.contains("unsafe") || $0.contains("*") || $0.contains("http") })
        for (name, value) in [
            ("cache-control", "no-cache"), ("x-frame-options", "DENY"), ("referrer-policy", "same-origin"),
            ("x-content-type-options", "nosniff"), ("cross-origin-resource-policy", "same-origin"),
        ] {
            #expect(answer.headers[name] == value)
        }
        #expect(answer.headers["permissions-policy"]?.contains("camera=()") == true)
        #expect(answer.headers["x-request-id"]?.isEmpty == false)
        let tag = try #require(answer.headers["etag"])
        let again = try stack.get(target, headers: ["If-None-Match: \(tag)"])
        #expect(again.status == 304 && again.headers["cache-control"] == "no-cache")
    }

    @Test func `files have their media types, and are compressed`() throws {
        let stack = try Stack()
        for (target, type) in [
            ("/ui/", "text/html; charset=utf-8"), ("/ui/js/app.js", "text/javascript; charset=utf-8"),
            ("/ui/css/tokens.css", "text/css; charset=utf-8"),
        ] {
            let answer = try stack.get(target, headers: ["Accept-Encoding: gzip"])
            #expect(answer.headers["content-type"] == type)
            #expect(answer.headers["content-encoding"] == "gzip" && answer.headers["vary"] == "Accept-Encoding")
            let tag = try #require(answer.headers["etag"])
            let again = try stack.get(target, headers: ["If-None-Match: \(tag)"])
            #expect(again.status == 304 && again.headers["vary"] == "Accept-Encoding")
            #expect(try stack.request("HEAD", target).headers["vary"] == "Accept-Encoding")
        }
    }

    @Test func `the console consists of its files only, which are read-only`() throws {
        let stack = try Stack()
        for (target, place) in [("/ui", "/ui/"), ("/ui?q=a%26b&active=true", "/ui/?q=a%26b&active=true")] {
            let moved = try stack.get(target)
            #expect(moved.status == 308 && moved.headers["location"] == place)
            #expect(moved.headers["content-type"] == "application/json" && !moved.body.contains("<html>"))
            #expect(moved.headers["x-request-id"]?.isEmpty == false)
        }
        for target in [
            "/ui/nothing", "/ui/js/", "/ui/campaigns/", "/ui/campaigns/a", "/ui/../api.conf",
        ] {
            let answer = try stack.get(target)
            #expect(answer.status == 404 && answer.headers["content-type"] == "application/json", "\(target)")
        }
        #expect(try stack.get("/ui/%2e%2e/%2e%2e/api.conf").status == 400)
        for method in ["POST", "PUT", "DELETE"] {
            let answer = try stack.request(method, "/ui/", body: "")
            #expect(answer.status == 405 && answer.headers["allow"] == "GET, HEAD")
        }
        let refused = try stack.get("/ui/", headers: ["If-Match: \"x\""])
        #expect(refused.status == 412 && refused.headers["content-type"] == "application/json")
        #expect(try stack.get("/ui/", headers: ["Range: bytes=9999999-"]).status == 200)
        #expect(try stack.request("TRACE", "/campaigns/").headers["allow"]?.contains("PATCH") == true)
        for target in ["/ui/", "/ui", "/docs?a", "/docs/js/guide.js"] {
            let answer = try stack.request("TRACE", target)
            #expect(answer.status == 405 && answer.headers["allow"] == "GET, HEAD", "\(target)")
        }
    }

    @Test func `the console is served without workers`() throws {
        let stack = try Stack()
        stack.worker.signal(SIGKILL)
        _ = stack.worker.wait(seconds: 5)
        #expect(try stack.get("/ui/").status == 200)
        #expect(try stack.get("/", headers: ["Accept: \(Self.browser)"]).status == 303)
    }

    @Test func `the installed configuration serves the installed console`() throws {
        let folder = try Folder()
        try run(["scripts/install", "install"], environment: ["DESTDIR": folder.path, "PREFIX": "/usr"])
        let share = "\(folder.path)/usr/share/aktify/nginx"
        let configuration = try String(contentsOfFile: "\(share)/api.conf", encoding: .utf8)
        #expect(configuration.contains("root /usr/share/aktify/nginx/www;"))
        #expect(try run(["diff", "-r", "nginx/www", "\(share)/www"]).isEmpty)
    }
}
