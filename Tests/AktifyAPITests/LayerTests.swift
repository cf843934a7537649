import Foundation
import Testing

/// The dependencies between modules, as their import lines declare them: a module imports only lower layers.
@Suite struct LayerTests {
    private static let allowed: [String: Set<String>] = [
        "EventLoop": [], "Scoreboard": [], "Supervisor": ["EventLoop", "Scoreboard"], "SQL": [], "Web": [],
        "FastCGI": ["CFastCGI", "EventLoop", "Scoreboard", "Web"],
        "Postgres": ["CLibPQ", "EventLoop", "SQL", "Scoreboard"],
        "ORM": ["EventLoop", "SQL", "Postgres", "Scoreboard"], "Migrations": ["EventLoop", "SQL", "Postgres"],
        "Resources": ["Web", "SQL", "ORM"], "AktifyAPI": ["Authentication", "Web", "SQL", "ORM", "Resources"],
        "Authentication": ["EventLoop", "Web", "SQL", "ORM"],
        "JWTAuthentication": ["Authentication", "EventLoop", "Supervisor", "Web"],
    ]
    private static let modules = Set(allowed.keys).union(["CFastCGI", "CLibPQ", "aktify"])

    private func imports(of folder: String) throws -> [String: Set<String>] {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/\(folder)")
            .standardized
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        var imports: [String: Set<String>] = [:]
        for case let file as URL in files where file.pathExtension == "swift" {
            let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            let names = lines.filter { $0.hasPrefix("import ") }.map { String($0.dropFirst(7)) }
            imports[file.path()] = Set(names)
        }
        return imports
    }

    @Test(arguments: allowed.keys.sorted()) func `a module imports only lower layers, and not Foundation`(
        module: String
    ) throws {
        let files = try imports(of: module)
        #expect(!files.isEmpty)
        for (file, imports) in files {
            #expect(imports.intersection(Self.modules).subtracting(Self.allowed[module] ?? []).isEmpty, "\(file)")
            #expect(!imports.contains("Foundation"), "\(file)")
        }
    }

    @Test(arguments: [("Postgres", "CLibPQ"), ("FastCGI", "CFastCGI")])
    func `a C library is imported in at most four files of its module`(module: String, library: String) throws {
        let count = try imports(of: module).values.count { $0.contains(library) }
        #expect((1...4).contains(count))
    }

    @Test func `services import neither HTTP nor SQL`() throws {
        for (file, imports) in try imports(of: "AktifyAPI/Services") {
            #expect(imports.isDisjoint(with: ["Web", "HTTPTypes", "SQL", "Postgres"]), "\(file)")
        }
    }
}
