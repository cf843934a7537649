import EventLoop
import Foundation
import Postgres
import TestSupport

@testable import Migrations

/// Creates a revision with these sections.
func revision(_ id: String, _ parents: String, _ up: String, _ down: String = "") throws -> Revision {
    try Revision(
        parsing: "-- x\n-- Revision ID: \(id)\n-- Revises: \(parents)\n-- upgrade\n\(up)\n-- downgrade\n\(down)\n",
        file: "versions/\(id).sql")
}

extension TestDatabase {
    /// Runs a script with psql, statement by statement.
    func psql(_ script: String) throws {
        let folder = try Folder()
        try Data(script.utf8).write(to: URL(filePath: "\(folder.path)/script.sql"))
        let (status, output) = try runToEnd(
            ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f", "\(folder.path)/script.sql"],
            environment: psqlEnvironment)
        guard status == 0 else { throw CommandFailed(description: output) }
    }

    /// Opens a connection and runs a script on it.
    func opened(_ script: String) throws -> Connection {
        let configuration = directConfiguration()
        return try Loop.run {
            let connection = try await Connection.open(configuration)
            try await connection.script(script)
            return connection
        }
    }

    /// Runs `body`, by default an upgrade, with a migrator of revisions `a1`, `a2` and so on, each based on the one
    /// before.
    /// - Returns: the error message if `body` fails; otherwise `nil`.
    func migrate(
        _ revisions: [(up: String, down: String)], _ options: Migrator.Options = .init(),
        _ lines: Lines = Lines(),
        body: @escaping @Sendable (Migrator) async throws -> Void = { try await $0.upgrade() }
    ) throws -> String? {
        let graph = try RevisionGraph(
            revisions.enumerated().map { index, sections in
                try revision("a\(index + 1)", index == 0 ? "" : "a\(index)", sections.up, sections.down)
            })
        let migrator = Migrator(graph: graph, configuration: directConfiguration(), options: options) { lines.add($0) }
        do { try Loop.run { try await body(migrator) } } catch { return "\(error)" }
        return nil
    }
}

/// A collector of lines, such as a migrator's messages. Safe as `@unchecked Sendable`: all lines are added on the
/// thread of one event loop, and read there or after the loop has ended.
final class Lines: @unchecked Sendable {
    private(set) var all: [String] = []
    func add(_ line: String) { all.append(line) }
}
