import Postgres
import SQL

/// The tables and indexes of a database at one moment, with what the session's transaction has done to them.
struct RelationSnapshot {
    struct Relation {
        /// Its name with its schema, in quotes where they are needed.
        let name: String
        /// `r` for a table, `i` for an index (Postgres manual, chapter 53.11).
        let kind: String
        /// The file that it lies in; 0 when it has none.
        let file: Int64
        let bytes: Int64
        /// The table of an index.
        let table: Int64
        /// How often it was read as a whole, and how many rows were updated, or deleted.
        let (scans, updated, deleted): (Int64, Int64, Int64)
    }

    /// By their object ids, which a new name and a new file do not change.
    var relations: [Int64: Relation] = [:]

    /// Reads the relations that migrations make.
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

    /// What has happened since to tables that have these names in the real database.
    /// - Parameter counts: whether both belong to one transaction, so that what it has read and written can be told.
    func effects(since before: RelationSnapshot, _ names: [Int64: String], counts: Bool) -> [PlannedEffect] {
        names.sorted { $0.value < $1.value }.flatMap { id, name -> [PlannedEffect] in
            guard let old = before.relations[id], let new = relations[id], ["r", "m"].contains(old.kind) else {
                return []
            }
            let built = builtIndexes(of: id, since: before)
            // Without counts: CONCURRENTLY reads a table twice.
            let scans = counts ? Int(new.scans - old.scans) - built.count : built.count
            // What writes a table anew reads it; a truncation only makes its indexes again.
            if new.file != old.file { return [new.bytes == 0 && scans <= 0 ? .truncates(name) : .rewrites(name)] }
            let changes = counts && (new.updated > old.updated || new.deleted > old.deleted)
            return built.map { .builds(index: $0, on: name) } + (scans > 0 ? [.scans(name, times: scans)] : [])
                + (changes ? [.changesRows(name)] : [])
        }
    }

    private func builtIndexes(of table: Int64, since before: RelationSnapshot) -> [String] {
        relations.filter { id, index in
            guard index.table == table, index.file != 0 else { return false }
            let old = before.relations[id] ?? before.relations.values.first { $0.file == index.file }
            return old?.file != index.file
        }.map(\.value.name).sorted()
    }

    /// Names for the relations that have come in place of others of the same name: indexes that were made again.
    func successors(since before: RelationSnapshot, _ names: [Int64: String]) -> [Int64: String] {
        let gone = names.filter { relations[$0.key] == nil }
        var found: [Int64: String] = [:]
        for (id, relation) in relations where before.relations[id] == nil && relation.kind == "i" {
            found[id] = gone.first { before.relations[$0.key]?.name == relation.name }?.value
        }
        return found
    }
}
