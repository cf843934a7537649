import Foundation
import TestSupport
import Testing

/// A database, and a copy of the shipped revisions to which a test adds others.
struct MigrationFolder {
    let database: TestDatabase
    let folder: Folder
    /// The head of the shipped revisions.
    let head: String

    /// The path of the migrations directory.
    var path: String { "\(folder.path)/migrations" }

    init() throws {
        (database, folder) = (try TestDatabase(), try Folder())
        let path = "\(folder.path)/migrations"
        try FileManager.default.copyItem(atPath: "\(checkout)/migrations", toPath: path)
        let heads = try runToEnd([Stack.program, "db", "heads", "--directory", path])
        head = try #require(heads.output.split(separator: " ").first.map { String($0) })
    }

    /// Adds a revision that executes these statements.
    func add(_ id: String, _ statements: String) throws {
        let made = try db(["revision", "-m", "another", "--rev-id", id])
        let name = try #require(
            FileManager.default.contentsOfDirectory(atPath: "\(path)/versions").first { $0.hasPrefix(id) },
            "\(made.output)")
        let file = "\(path)/versions/\(name)"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try text.replacing("-- upgrade\n", with: "-- upgrade\n\n\(statements)\n").write(
            toFile: file, atomically: true, encoding: .utf8)
    }

    /// Runs `aktify db` with the database and the copied revisions.
    func db(_ arguments: [String], as user: String = "postgres") throws -> (status: Int32, output: String) {
        try runToEnd(
            [Stack.program, "db"] + arguments + ["--directory", path],
            environment: database.environment.merging(["POSTGRES_USER": user]) { $1 })
    }
}
