import EventLoop
import Postgres
import SQL

/// Compares the rights of a role with those that it needs, and grants and revokes what makes them the same.
public struct RightsAudit: Sendable {
    let role: String
    let rights: [Right]
    private let configuration: PostgresConfiguration

    /// Makes an audit.
    /// - Parameters:
    ///   - role: whose rights they are.
    ///   - rights: those that it needs; one on a table that is not there is none.
    ///   - configuration: of the owner of the tables.
    public init(of role: String, needing rights: [Right], on configuration: PostgresConfiguration) {
        (self.role, self.rights, self.configuration) = (role, rights, configuration)
    }

    /// What is too much, and what is too little.
    /// - Throws: `MigrationFailed` when there is no such role, `PostgresError`.
    public func findings() async throws -> [RightsFinding] {
        try await withConnection { try await findings($0) }
    }

    /// Mends what a kind of mending is for, in one transaction; when there is nothing to mend, nothing is locked.
    /// - Returns: the statements that were run.
    /// - Throws: `MigrationFailed` when one fails, or there is no such role; `PostgresError`.
    public func mend(_ kinds: Set<RightsFinding.Mending>) async throws -> [String] {
        try await withConnection { connection in
            guard try await findings(connection).contains(where: { kinds.contains($0.mending) }) else { return [] }
            // Two that grant at once fail: "tuple concurrently updated".
            try await connection.script(
                "BEGIN; SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(hashtext('aktify db grant'))")
            var statements: [String] = []
            // What is revoked on a table goes for its columns too: then the next round grants it again.
            while true {
                let round = try await findings(connection).filter {
                    kinds.contains($0.mending) && !statements.contains($0.statement)
                }
                if round.isEmpty { break }
                for finding in round { try await run(finding, connection) }
                statements += round.map(\.statement)
            }
            try await connection.script("COMMIT")
            return statements
        }
    }

    private func run(_ finding: RightsFinding, _ connection: Connection) async throws {
        do { try await connection.script(finding.statement) } catch let error as PostgresError where connection.isOpen {
            throw MigrationFailed("\(finding.statement): \(error.message): nothing was granted or revoked")
        }
    }

    private func withConnection<Value>(_ body: (Connection) async throws -> Value) async throws -> Value {
        let connection = try await Connection.open(configuration)
        defer { connection.close() }
        guard try await connection.rows("SELECT ARRAY[rolname::text] FROM pg_roles WHERE rolname = \(role)").count == 1
        else { throw MigrationFailed("there is no role \(role): scripts/database-roles makes it") }
        return try await body(connection)
    }

    private func findings(_ connection: Connection) async throws -> [RightsFinding] {
        var findings: [RightsFinding] = []
        for query in queries { findings += try await connection.rows(query).compactMap(RightsFinding.init) }
        return findings
    }
}
