import Postgres
import SQL

extension MigrationSession {
    /// Refuses a revision with the comment `-- contract of REV` while programs are connected that do not know the
    /// revision REV.
    /// - Throws: `MigrationFailed` with the names of these programs, or if REV is no ancestor of the revision.
    func checkContract(of revision: Revision, in graph: RevisionGraph) async throws {
        guard let obstacle = try await obstacle(to: revision, in: graph) else { return }
        throw MigrationFailed("\(obstacle). Nothing was changed: replace them first")
    }

    /// Describes the connected programs that do not know REV, for a revision with the comment `-- contract of REV`;
    /// `nil` if there are none, or without such a comment.
    /// - Throws: `MigrationFailed` if REV is no ancestor of the revision.
    func obstacle(to revision: Revision, in graph: RevisionGraph) async throws -> String? {
        guard let id = revision.upgrade.contracted.map(graph.idAfterSquash) else { return nil }
        guard try graph.closure(of: Set(revision.parents)).contains(id) else {
            throw MigrationFailed("\(revision.file): it is the contract of \(id), which is not one of its ancestors")
        }
        // Only this tool connects to a scratch database.
        guard !options.isTrial else { return nil }
        let old = try await programs().filter { !ProgramName(parsing: $0.name).knows(id, in: graph) }
        guard !old.isEmpty else { return nil }
        let list = old.map { "\($0.name) (\($0.sessions))" }.joined(separator: ", ")
        return "\(revision.id) is the contract of \(id), and programs are connected that do not know \(id): \(list)"
    }

    /// Returns the names of the programs that are connected to the database, each with its sessions.
    private func programs() async throws -> [(name: String, sessions: String)] {
        try await connection.rows(
            """
            SELECT ARRAY[application_name, string_agg('pid ' || pid || coalesce(' on ' || host(client_addr), ''), ', ' ORDER BY pid)] \
            FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
            AND application_name ~ '^aktify( [0-9]|$)' GROUP BY application_name ORDER BY application_name
            """
        ).map { ($0[0], $0[1]) }
    }
}
