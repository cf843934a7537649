import AktifyAPI
import ArgumentParser
import EventLoop
import Migrations
import Web

/// `aktify db status`: shows the state of each revision, invalid indexes and constraints, and the drift from the
/// models.
struct DBStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the state of each revision, invalid indexes and constraints, and schema drift.",
        discussion: """
            A revision is applied, pending, running, changed (its file was edited after it had been applied) or \
            halfway (it stopped outside a transaction). Drift, the difference between the models and the database, is \
            only computed at the head. Exit status: 0 when everything is in order, 3 when revisions are pending or \
            running, 1 when there is a problem.
            """)

    @OptionGroup var schema: SchemaOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let (status, flaws, drift) = try inspect()
        if json {
            printJSON { json in
                json.member("drift", drift)
                json.member("flaws", flaws)
                json.member("revisions", status.entries)
            }
        } else {
            printTable(status, flaws + drift)
        }
        if status.has(.changed, .halfway) || !flaws.isEmpty || !drift.isEmpty { throw ExitCode(1) }
        if status.has(.pending, .running) { throw ExitCode(3) }
    }

    /// Inspects the database. Drift is only computed when all revisions are applied: before that, the database
    /// necessarily differs from the models.
    private func inspect() throws -> (MigrationStatus, flaws: [String], drift: [String]) {
        let config = try loadSchemaConfig()
        let migrator = Migrator(graph: try schema.scripts.graph(), configuration: config.database, log: { _ in })
        return try Loop.run {
            let status = try await migrator.status()
            let flaws = try await SchemaDefects.found(in: config.database)
            guard !status.has(.pending, .running, .halfway) else { return (status, flaws, []) }
            return (status, flaws, try await Differences.changes(from: config.database, to: metadata).summaries)
        }
    }

    private func printTable(_ status: MigrationStatus, _ problems: [String]) {
        for entry in status.entries {
            let state = entry.state.rawValue.padded(to: 9)
            print("\(entry.revision.id.padded(to: 14))\(state)\(entry.revision.message)")
            if !entry.detail.isEmpty { print("    \(entry.detail)") }
        }
        for problem in problems { print(problem) }
    }
}

extension MigrationStatus.Entry: JSONWritable {
    public func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("detail", detail)
        json.member("id", revision.id)
        json.member("message", revision.message)
        json.member("state", state.rawValue)
        json.endObject()
    }
}

extension String {
    fileprivate func padded(to count: Int) -> String {
        self + String(repeating: " ", count: max(1, count - self.count))
    }
}
