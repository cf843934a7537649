import ORM
import Testing
import Web

@testable import AktifyAPI

@Suite struct AccessTests {
    @Test func `every route declares its access`() throws {
        let app = try createApp(.testing(), repositories: .inMemory())
        #expect(!app.routes.isEmpty)
        for route in app.routes { #expect(route.access != .denied, "\(route.method) \(route.path)") }
    }

    @Test func `only routes that reveal no data are open`() throws {
        let app = try createApp(.testing(), repositories: .inMemory())
        let open = app.routes.filter { $0.access == .open }.map(\.path)
        #expect(open == ["/", "/healthz", "/readyz", "/openapi.json"])
    }

    @Test func `reads require a reader, writes an editor, and deletions by a filter an admin`() throws {
        let app = try createApp(.testing(), repositories: .inMemory())
        for route in app.routes where route.access != .open {
            let role: Role =
                switch (route.method, route.path.contains("<")) {
                case (.get, _): .reader
                case (.delete, false): .admin
                default: .editor
                }
            #expect(route.access == .role(role), "\(route.method) \(route.path)")
        }
    }
}
