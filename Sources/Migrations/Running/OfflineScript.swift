/// The SQL of an upgrade or a downgrade for running it elsewhere: Alembic's offline mode (`--sql`).
public struct OfflineScript: Sendable {
    private let graph: RevisionGraph

    /// Creates scripts from these revisions.
    public init(_ graph: RevisionGraph) { self.graph = graph }

    /// Returns the SQL script of an upgrade.
    /// - Parameter range: the target, or `FROM:TO`; without FROM, the script begins at the base.
    /// - Throws: `RevisionGraph.GraphError`.
    public func upgrade(_ range: String) throws -> String {
        let parts = range.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        let from = parts.count == 2 ? Set(try graph.resolve(parts[0])) : []
        return try script(
            graph.upgradePlan(to: parts[parts.count - 1], from: from), "upgrade", from: from
        ) { graph.versions($0, applying: $1) }
    }

    /// Returns the SQL script of a downgrade.
    /// - Parameter range: `FROM:TO`.
    /// - Throws: `RevisionGraph.GraphError`; `MigrationFailed` if `range` has no FROM.
    public func downgrade(_ range: String) throws -> String {
        let parts = range.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        guard parts.count == 2 else { throw MigrationFailed("downgrade with --sql requires <fromrev>:<torev>") }
        let from = Set(try graph.resolve(parts[0]))
        return try script(graph.downgradePlan(to: parts[1], from: from), "downgrade", from: from) {
            try graph.versions($0, undoing: $1)
        }
    }

    private func script(
        _ plan: [Revision], _ direction: String, from: Set<String>,
        _ next: (Set<String>, Revision) throws -> Set<String>
    ) throws -> String {
        var lines: [String] = []
        if from.isEmpty {
            lines += [
                "CREATE TABLE alembic_version (", "    version_num VARCHAR(32) NOT NULL, ",
                "    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)", ");", "",
            ]
        }
        var versions = from
        for revision in plan {
            let new = try next(versions, revision)
            let section = direction == "upgrade" ? revision.upgrade : revision.downgrade
            let parents = revision.parents.joined(separator: ", ")
            lines += [
                "BEGIN;", "",
                "-- Running \(direction) "
                    + (direction == "upgrade" ? "\(parents) -> \(revision.id)" : "\(revision.id) -> \(parents)"), "",
            ]
            if let reason = section.irreversible {
                throw MigrationFailed("\(revision.file): \(revision.id) is irreversible: \(reason)")
            }
            // Session settings of a revision are reset at the end of each transaction: they must not affect
            // later statements.
            let reset = ["RESET SESSION AUTHORIZATION;", "RESET ROLE;", "RESET ALL;", ""]
            for statement in section.statements {
                guard statement.isOutside else {
                    lines += [statement.sql + ";", ""]
                    continue
                }
                let sql = (statement.batches?.doBlock ?? statement.sql) + ";"
                lines += reset + ["COMMIT;", "", sql, ""] + reset + ["BEGIN;", ""]
            }
            lines += reset
            lines += changes(from: versions, to: new) + ["", "COMMIT;", ""]
            versions = new
        }
        return lines.joined(separator: "\n")
    }

    private func changes(from old: Set<String>, to new: Set<String>) -> [String] {
        let (removed, added) = (old.subtracting(new).sorted(), new.subtracting(old).sorted())
        if removed.count == 1, added.count == 1 {
            return [
                "UPDATE alembic_version SET version_num='\(added[0])' WHERE alembic_version.version_num = "
                    + "'\(removed[0])';"
            ]
        }
        return removed.map { "DELETE FROM alembic_version WHERE alembic_version.version_num = '\($0)';" }
            + added.map { "INSERT INTO alembic_version (version_num) VALUES ('\($0)');" }
    }
}
