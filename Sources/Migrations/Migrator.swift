import Postgres
import SQL

/// Brings a database's schema forward, and keeps account of it in Alembic's own table.
public struct Migrator: Sendable {
    private let graph: RevisionGraph
    private let configuration: PostgresConfiguration
    private let log: @Sendable (String) -> Void

    /// Makes a migrator.
    /// - Parameter log: takes Alembic's words, a line at a time.
    public init(graph: RevisionGraph, configuration: PostgresConfiguration, log: @escaping @Sendable (String) -> Void) {
        self.graph = graph
        self.configuration = configuration
        self.log = log
    }

    /// A revision that could not be applied: it left the database as it was before it.
    public struct Failed: Error, CustomStringConvertible {
        public let description: String
    }

    /// Applies what is pending, each revision in a transaction of its own, under a lock: whoever comes at the same time waits,
    /// and finds nothing to do.
    /// - Throws: `Failed`, `RevisionGraph.Broken`, `PostgresError`.
    public func upgrade() async throws {
        let connection = try await Connection.open(configuration)
        defer { connection.close() }
        try await connection.script("SET statement_timeout = 0; SELECT pg_advisory_lock(\(Migrator.lockKey))")
        try await connection.script(Migrator.versionTable)
        for revision in try graph.pending(after: try await current(connection)) {
            try await apply(revision, on: connection)
        }
    }

    /// The lock's key: the ASCII of "alembic", which nothing else has a reason to take.
    private static let lockKey = 0x61_6c65_6d62_6963

    /// Alembic's own table, to the letter, unless it is there.
    private static let versionTable = """
        SET client_min_messages = warning;
        CREATE TABLE IF NOT EXISTS alembic_version (
            version_num VARCHAR(32) NOT NULL,
            CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
        )
        """

    private func current(_ connection: Connection) async throws -> String? {
        let result = try await connection.execute("SELECT version_num FROM alembic_version")
        guard result.count <= 1 else {
            throw Failed(description: "the database has \(result.count) heads in alembic_version")
        }
        guard result.count == 1 else { return nil }
        var row = result.row(0)
        return try row.next()
    }

    private func apply(_ revision: Revision, on connection: Connection) async throws {
        log("Running upgrade \(revision.down ?? "") -> \(revision.id), \(revision.message)")
        do {
            try await connection.script("BEGIN")
            try await connection.script(revision.upgrade.sql)
            try await record(revision, on: connection)
            try await commit(connection)
        } catch let error as PostgresError {
            throw Failed(description: "\(revision.place(of: error)): \(error); nothing of \(revision.id) was applied")
        }
    }

    /// Moves the version row on; it must still be where it was when the upgrade was planned.
    private func record(_ revision: Revision, on connection: Connection) async throws {
        let result =
            if let down = revision.down {
                try await connection.execute(
                    "UPDATE alembic_version SET version_num = \(revision.id) WHERE version_num = \(down)")
            } else {
                try await connection.execute("INSERT INTO alembic_version (version_num) VALUES (\(revision.id))")
            }
        guard result.affected == 1 else {
            throw Failed(description: "alembic_version was changed meanwhile: start again")
        }
    }

    /// Postgres answers the COMMIT of a transaction that failed with ROLLBACK, and no error.
    private func commit(_ connection: Connection) async throws {
        guard try await connection.script("COMMIT").tag == "COMMIT" else {
            throw Failed(description: "the commit was rolled back")
        }
    }
}

extension Revision {
    /// The place in the file that an error of its upgrade names: the line of the position that Postgres gave.
    fileprivate func place(of error: PostgresError) -> String {
        let before = upgrade.sql.unicodeScalars.prefix(max(0, (error.position ?? 1) - 1))
        return "\(file):\(upgrade.line + before.count { $0 == "\n" })"
    }
}
