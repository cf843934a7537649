import Postgres
import SQL

/// The relations of a database at one point in time, with the scans and row changes of the session's transaction.
struct RelationSnapshot {
    struct Relation {
        /// The qualified name, quoted where necessary.
        let name: String
        /// The `relkind` of `pg_class`: `r` for a table, `i` for an index.
        let kind: String
        /// The relation's filenode; 0 if it has no storage.
        let file: Int64
        /// The size of the relation's main fork in bytes; 0 if it has no storage.
        let bytes: Int64
        /// The oid of an index's table; 0 for other relations.
        let table: Int64
        /// The numbers of scans, updated rows and deleted rows in the session's transaction.
        let (scans, updated, deleted): (Int64, Int64, Int64)
    }

    /// The relations by oid, which renames and rewrites do not change.
    var relations: [Int64: Relation] = [:]

    /// Reads all relations except those of Postgres and of the tool itself.
    /// - Throws: `PostgresError`.
    init(reading connection: Connection) async throws {
        for row in try await connection.rows(RelationSnapshot.query) {
            let numbers = row[3...].map { Int64($0) ?? 0 }
            relations[Int64(row[0]) ?? 0] = Relation(
                name: row[1], kind: row[2], file: numbers[0], bytes: numbers[1], table: numbers[2], scans: numbers[3],
                updated: numbers[4], deleted: numbers[5])
        }
    }

    private static let query: Statement = """
        SELECT ARRAY[c.oid::text, format('%I.%I', nspname, relname), relkind::text, coalesce(pg_relation_filenode(c.oid), 0)::text, \
        coalesce(pg_relation_size(c.oid), 0)::text, coalesce(indrelid, 0)::text, pg_stat_get_xact_numscans(c.oid)::text, \
        pg_stat_get_xact_tuples_updated(c.oid)::text, pg_stat_get_xact_tuples_deleted(c.oid)::text] \
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace LEFT JOIN pg_index ON indexrelid = c.oid \
        WHERE relkind IN ('r', 'p', 'i', 'I', 'm', 'S', 'v', 'f') AND relpersistence <> 't' AND nspname !~ '^pg_' \
        AND nspname <> 'information_schema' AND relname NOT IN (\(unsafe: MigrationSession.ownTables))
        """

    /// Returns the effects on tables since an earlier snapshot.
    /// - Parameters:
    ///   - names: the relations' names in the real database, by their oids in the scratch database.
    ///   - counts: whether both snapshots belong to one transaction, so that their counts of scans and rows can be
    ///   compared.
    func effects(since before: RelationSnapshot, _ names: [Int64: String], counts: Bool) -> [PlannedEffect] {
        names.sorted { $0.value < $1.value }.flatMap { id, name -> [PlannedEffect] in
            guard let old = before.relations[id], let new = relations[id], ["r", "m"].contains(old.kind) else {
                return []
            }
            let built = builtIndexes(of: id, since: before)
            // Without counts, the second scan of CONCURRENTLY is assumed.
            let scans = counts ? Int(new.scans - old.scans) - built.count : built.count
            // Rewriting a table also reads it; a truncation only recreates its indexes.
            if new.file != old.file { return [new.bytes == 0 && scans <= 0 ? .truncates(name) : .rewrites(name)] }
            let changes = counts && (new.updated > old.updated || new.deleted > old.deleted)
            return built.map { .builds(index: $0, on: name) } + (scans > 0 ? [.scans(name, times: scans)] : [])
                + (changes ? [.changesRows(name)] : [])
        }
    }

    /// Returns the names of a table's indexes that were created or rebuilt since an earlier snapshot.
    private func builtIndexes(of table: Int64, since before: RelationSnapshot) -> [String] {
        relations.filter { id, index in
            guard index.table == table, index.file != 0 else { return false }
            let old = before.relations[id] ?? before.relations.values.first { $0.file == index.file }
            return old?.file != index.file
        }.map(\.value.name).sorted()
    }

    /// Returns the new indexes that replace a dropped index of the same name: their names in the real database, by
    /// their oids in the scratch database.
    func successors(since before: RelationSnapshot, _ names: [Int64: String]) -> [Int64: String] {
        let removed = names.filter { relations[$0.key] == nil }
        var found: [Int64: String] = [:]
        for (id, relation) in relations where before.relations[id] == nil && relation.kind == "i" {
            found[id] = removed.first { before.relations[$0.key]?.name == relation.name }?.value
        }
        return found
    }
}
