import EventLoop
import Postgres
import SQL

/// Compares the privileges of a role with those that it needs, and grants and revokes the difference.
public struct RightsAudit: Sendable {
    /// The audited role.
    let role: String
    /// The privileges that the role needs.
    let rights: [Right]
    private let configuration: PostgresConfiguration

    /// Creates an audit.
    /// - Parameters:
    ///   - role: the name of the role.
    ///   - rights: the privileges that it needs; those on tables that do not exist are ignored.
    ///   - configuration: a login as the owner of the tables.
    public init(of role: String, needing rights: [Right], on configuration: PostgresConfiguration) {
        (self.role, self.rights, self.configuration) = (role, rights, configuration)
    }

    /// Finds excess and missing privileges.
    /// - Throws: `MigrationFailed` if the role does not exist, `PostgresError`.
    public func findings() async throws -> [RightsFinding] {
        try await withConnection { try await findings($0) }
    }

    /// Fixes the findings of some kinds in one transaction, under an advisory lock. If there are no such findings, the
    /// lock is not taken.
    /// - Parameter kinds: the kinds of findings to fix.
    /// - Returns: The executed statements.
    /// - Throws: `MigrationFailed` if a statement fails or the role does not exist; `PostgresError`.
    public func fix(_ kinds: Set<RightsFinding.Remedy>) async throws -> [String] {
        try await withConnection { connection in
            guard try await findings(connection).contains(where: { kinds.contains($0.remedy) }) else { return [] }
            // Concurrent grants would fail with "tuple concurrently updated".
            try await connection.script(
                "BEGIN; SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(hashtext('aktify db grant'))")
            var statements: [String] = []
            // Revoking a privilege on a table also revokes it on its columns; the next round grants it
            // again.
            while true {
                let round = try await findings(connection).filter {
                    kinds.contains($0.remedy) && !statements.contains($0.statement)
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
        else { throw MigrationFailed("there is no role \(role): scripts/database-roles creates it") }
        return try await body(connection)
    }

    private func findings(_ connection: Connection) async throws -> [RightsFinding] {
        var findings: [RightsFinding] = []
        for query in queries { findings += try await connection.rows(query).compactMap(RightsFinding.init) }
        return findings
    }
}
