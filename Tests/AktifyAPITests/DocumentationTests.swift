import Foundation
import Testing
import Web

@testable import AktifyAPI

/// The reference documentation in README.md and docs, compared with the code.
@Suite struct DocumentationTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

    private func text(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    /// Returns the contents of the files below a directory, keyed by path. Only files for which `isWanted` returns true
    /// are included.
    private func texts(below folder: String, where isWanted: (URL) -> Bool) throws -> [String: String] {
        let folder = Self.root.appending(path: folder)
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        var texts: [String: String] = [:]
        for case let file as URL in files where isWanted(file) {
            texts[file.path()] = try String(contentsOf: file, encoding: .utf8)
        }
        return texts
    }

    // MARK: Variables

    /// Returns the concatenated source files of `Config`.
    private func configSources() throws -> String {
        try texts(below: "Sources/AktifyAPI") { $0.lastPathComponent.hasPrefix("Config") }.values.joined()
    }

    /// Returns the variables in the first column of the tables in `text`, with their defaults in the last column.
    private func rows(of text: String) -> [String: String] {
        let rows = text.matches(of: /(?m)^\| `([A-Z][A-Z0-9_]*)`.* \| (.*) \|$/)
        return Dictionary(rows.map { (String($0.1), String($0.2)) }, uniquingKeysWith: { "\($0), and \($1)" })
    }

    /// Returns docs/configuration.md in two parts, split at the heading of the section on Docker Compose.
    private func configurationPage() throws -> (program: String, compose: String) {
        let page = try text("docs/configuration.md")
        let heading = try #require(page.firstRange(of: "## Docker Compose"))
        return (String(page[..<heading.lowerBound]), String(page[heading.lowerBound...]))
    }

    @Test func `every variable that the program reads is documented, and no other`() throws {
        let sources = try texts(below: "Sources") { $0.pathExtension == "swift" }.values.joined()
        let read = sources.matches(of: /(?:(?:[vV]ariables|[eE]nvironment(?:\(\))?)\[|address\()"([A-Z_]+)"/)
            .map { String($0.1) }
        let configured = try configSources().matches(of: /"([A-Z]+(?:_[A-Z]+)*)"/).map { String($0.1) }
        #expect(read.count > 5 && configured.count > 30)
        let documented = Set(rows(of: try configurationPage().program).keys)
        #expect(Set(read + configured).subtracting(documented) == [], "these are not documented")
        #expect(documented.subtracting(read + configured) == [], "the program does not read these")
    }

    @Test func `the defaults of variables are those of the documentation`() throws {
        let sources = try configSources()
        let documented = rows(of: try configurationPage().program)
        let arguments = sources.matches(
            of: /"([A-Z_]+)",(?:[^()]|\([^()]*\))*?\bdefault: ((?:[^(),]|\([^()]*\))+)/)
        let alternatives = sources.matches(of: /"([A-Z_]+)"\) \?\? ("[^"]*")/)
        let defaults = (arguments + alternatives).map { (String($0.1), printed(String($0.2))) }
        #expect(defaults.count > 20)
        for (name, value) in defaults where !value.isEmpty {
            #expect(documented[name]?.contains("`\(value)`") == true, "\(name) is \(value) by default")
        }
    }

    /// Converts a default in the source code to the form in the documentation, such as `1 << 20` to `1048576`.
    private func printed(_ code: String) -> String {
        switch code {
        case "1 << 20": "1048576"
        case "Config.connections(workers: 1)": String(Config.connections(workers: 1))
        case "isDevelopment ? \"off\" : \"\"": "off"
        default: code.hasPrefix("\"") ? String(code.dropFirst().dropLast()) : code.replacing("_", with: "")
        }
    }

    private static let hasCompose = FileManager.default.fileExists(
        atPath: root.appending(path: "docker-compose.yml").path())

    // The image in which unit tests run has no Compose files.
    @Test(.enabled(if: hasCompose)) func `the variables of Docker Compose are documented, and no other`() throws {
        let page = try configurationPage().compose
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.root.path())
        let files = try names.filter { $0.wholeMatch(of: /docker-compose.*\.yml/) != nil }.map(text).joined()
        for match in files.matches(of: /\$\{([A-Z0-9_]+)/) {
            let name = match.1.hasSuffix("_FILE") ? match.1.dropLast(5) : match.1
            #expect(page.contains("`\(name)`"), "\(name) is not documented")
        }
        for name in rows(of: page).keys { #expect(files.contains(name), "\(name) is in no Compose file") }
    }

    // MARK: Routes, signals, fields

    @Test func `the table of README lists the routes of the application`() throws {
        let app = try createApp(.testing(), repositories: .inMemory())
        let mounted = app.routes.map { "\($0.method.rawValue) \($0.path)" }
        let listed = try text("README.md").matches(of: /(?m)^\| `([A-Z]+ \/[^`]*)`/).map { String($0.1) }
        #expect(listed.sorted() == mounted.sorted())
    }

    @Test func `every signal that the master handles is documented`() throws {
        let page = try text("docs/operations.md")
        let signals = try text("Sources/Supervisor/Master.swift").matches(of: /\bSIG([A-Z0-9]+)\b/)
        #expect(signals.count > 9)
        for signal in signals { #expect(page.contains("`\(signal.1)`"), "SIG\(signal.1)") }
    }

    @Test func `every field of the status is documented`() throws {
        let page = try text("docs/operations.md")
        let fields = try text("Sources/aktify/Status/StatusReport.swift").matches(of: /json\.member\("([^"]+)"/)
        #expect(fields.count > 50)
        for field in fields { #expect(page.contains("`\(field.1)`"), "\(field.1)") }
    }

    // MARK: Commands

    @Test func `every target of make that the documentation names exists`() throws {
        let targets = Set(try text("Makefile").matches(of: /(?m)^([a-z][a-z-]*):/).map { String($0.1) })
        var pages = try texts(below: "docs") { $0.pathExtension == "md" }
        for name in ["README.md", "CONTRIBUTING.md"] { pages[name] = try text(name) }
        for (path, page) in pages {
            for code in page.matches(of: /(?s)```.*?```|`[^`\n]+`/) {
                for named in code.output.matches(of: /\bmake (?:-s )?([a-z][a-z-]*)/) {
                    #expect(targets.contains(String(named.1)), "\(path): \(named.output.0)")
                }
            }
        }
    }
}
