import Foundation
import TestSupport
import Testing

/// The files of the documentation pages as nginx serves them. Tests/Browser tests the pages in a browser.
@Suite struct DocsTests {
    /// The URL path of the Swagger UI version that docs/index.html refers to; `nil` if that version was not downloaded.
    private static let swaggerUI: String? = {
        let page = try? String(contentsOfFile: "\(checkout)/nginx/www/docs/index.html", encoding: .utf8)
        guard let version = page?.firstMatch(of: /\/docs\/swagger-ui\/([0-9.]+)\//)?.output.1 else { return nil }
        let isThere = FileManager.default.fileExists(atPath: "\(checkout)/.local/swagger-ui/\(version)")
        return isThere ? "/docs/swagger-ui/\(version)" : nil
    }()

    @Test
    func `every file of the documentation has the console's security header fields, and is revalidated on each use`()
        throws
    {
        let stack = try Stack()
        let moved = try stack.get("/docs?a=b")
        #expect(moved.status == 308 && moved.headers["location"] == "/docs/?a=b")
        let console = try stack.get("/ui/")
        for target in ["/docs/", "/docs/js/guide.js", "/docs/css/guide.css"] {
            let answer = try stack.get(target)
            #expect(answer.status == 200, "\(target)")
            for name in [
                "cache-control", "content-security-policy", "cross-origin-opener-policy",
                "cross-origin-resource-policy", "permissions-policy",
                "referrer-policy", "x-content-type-options", "x-frame-options",
            ] {
                #expect(answer.headers[name] != nil && answer.headers[name] == console.headers[name], "\(name)")
            }
            let tag = try #require(answer.headers["etag"])
            #expect(try stack.get(target, headers: ["If-None-Match: \(tag)"]).status == 304)
        }
        for target in ["/docs/nothing", "/docs/js/", "/docs/swagger-ui/", "/docs/swagger-ui/0/swagger-ui.css"] {
            let answer = try stack.get(target)
            #expect(answer.status == 404 && answer.headers["content-type"] == "application/json", "\(target)")
            #expect(answer.headers["cache-control"]?.contains("immutable") != true)
        }
        let refused = try stack.request("POST", "/docs/", body: "")
        #expect(refused.status == 405 && refused.headers["allow"] == "GET, HEAD")
    }

    @Test func `the page refers to the pinned version of Swagger UI`() throws {
        let page = try String(contentsOfFile: "\(checkout)/nginx/www/docs/index.html", encoding: .utf8)
        let pinned = try String(contentsOfFile: "\(checkout)/scripts/swagger-ui-requirements.txt", encoding: .utf8)
        let version = try #require(pinned.firstMatch(of: /==([0-9.]+)/)?.output.1)
        #expect(Set(page.matches(of: /swagger-ui\/([0-9.]+)\//).map(\.output.1)) == [version])
        #expect(pinned.contains(/--hash=sha256:[0-9a-f]{64}/))
    }

    @Test
    func `without a package index, the download of Swagger UI fails with one sentence, and leaves nothing behind`()
        throws
    {
        let folder = try Folder()
        let nowhere = ["PIP_INDEX_URL": "http://127.0.0.1:9", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null"]
        let outcome = try runToEnd(["scripts/swagger-ui", "\(folder.path)/swagger-ui"], environment: nowhere)
        #expect(outcome.status == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test(.enabled(if: swaggerUI != nil, "Swagger UI could not be downloaded"))
    func `Swagger UI is compressed in advance, and cached without revalidation`() throws {
        let stack = try Stack()
        let folder = try #require(Self.swaggerUI)
        for (file, type) in [("swagger-ui-bundle.js", "text/javascript"), ("swagger-ui.css", "text/css")] {
            let whole = try stack.get("\(folder)/\(file)")
            #expect(whole.status == 200 && whole.headers["content-type"] == "\(type); charset=utf-8")
            #expect(whole.headers["cache-control"] == "public, max-age=31536000, immutable")
            #expect(whole.headers["x-frame-options"] == "DENY" && whole.headers["content-encoding"] == nil)
            let packed = try stack.get("\(folder)/\(file)", headers: ["Accept-Encoding: gzip"])
            #expect(packed.headers["content-encoding"] == "gzip" && packed.headers["vary"] == "Accept-Encoding")
            let tag = try #require(packed.headers["etag"])
            let again = try stack.get("\(folder)/\(file)", headers: ["Accept-Encoding: gzip", "If-None-Match: \(tag)"])
            #expect(again.status == 304 && again.headers["vary"] == "Accept-Encoding")
            // The length is known, since nginx sends the compressed file.
            #expect(packed.headers["content-length"] != nil)
        }
        #expect(try stack.get("\(folder)/LICENSE").headers["content-type"]?.hasPrefix("text/plain") == true)
    }

    @Test func `the installed configuration serves the installed documentation`() throws {
        let folder = try Folder()
        try run(["scripts/install", "install"], environment: ["DESTDIR": folder.path, "PREFIX": "/usr"])
        let share = "\(folder.path)/usr/share/aktify/nginx"
        let configuration = try String(contentsOfFile: "\(share)/api.conf", encoding: .utf8)
        #expect(configuration.contains("alias /usr/share/aktify/nginx/swagger-ui/;"))
        #expect(
            configuration.contains("include /usr/share/aktify/nginx/pages.conf;")
                && !configuration.contains("/etc/nginx"))
        #expect(FileManager.default.fileExists(atPath: "\(share)/pages.conf"))
        if let swaggerUI = Self.swaggerUI {
            let version = try #require(swaggerUI.split(separator: "/").last)
            #expect(try run(["diff", "-r", ".local/swagger-ui/\(version)", "\(share)/swagger-ui/\(version)"]).isEmpty)
        }
    }
}
