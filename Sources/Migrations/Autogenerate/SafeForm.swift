/// What changes a table that is in use without holding its writers up: each statement locks them out for a moment at most.
struct SafeForm {
    /// The table, as SQL names it.
    let table: String
    /// Whether it has partitions: they get indexes and foreign keys at once only.
    var isPartitioned = false

    private var place: String { "ALTER TABLE \(table)" }

    /// Adds a constraint: a key by an index that is built beside the writers; a check or a foreign key by validating what is there
    /// once new rows are checked. What takes the lock, of both tables for a foreign key (SHARE ROW EXCLUSIVE), reads no rows. EXCLUDE
    /// has no such form.
    func constraint(_ name: String, _ definition: String) -> [Step] {
        if let key = key(name, definition, index: name) { return [key.build, key.addition] }
        let add = "\(place) ADD CONSTRAINT \(name)"
        let constraint = Constraint(definition)
        let canWait = constraint.isCheck || constraint.isForeignKey && !isPartitioned
        guard canWait, constraint.meaning == definition else {
            return [.inside("\(add) \(definition)")]
        }
        return [.inside("\(add) \(definition) NOT VALID"), .outside("\(place) VALIDATE CONSTRAINT \(name)")]
    }

    /// Builds a key's index beside the writers, and makes it a key, which gives the index the key's name; `nil` for what is no key, and for
    /// one of a partitioned table.
    func key(_ name: String, _ definition: String, index: String) -> (build: Step, addition: Step)? {
        guard !isPartitioned, let key = definition.wholeMatch(of: SafeForm.key) else { return nil }
        let distinct = key.2 == nil ? "" : " NULLS NOT DISTINCT"
        return (
            .outside("CREATE UNIQUE INDEX CONCURRENTLY \(index) ON \(table) \(key.3)\(distinct)"),
            .inside("\(place) ADD CONSTRAINT \(name) \(key.1) USING INDEX \(index)\(key.4 ?? "")")
        )
    }

    /// `UNIQUE NULLS NOT DISTINCT (a, b) INCLUDE (c) DEFERRABLE`
    private static var key: Regex<(Substring, Substring, Substring?, Substring, Substring?)> {
        /(?is)(UNIQUE|PRIMARY KEY)( NULLS NOT DISTINCT)? ?(\(.*\))((?: NOT)? DEFERRABLE.*)?/
    }

    /// Adds an index beside the writers.
    func index(_ name: String, _ index: Catalog.Index) -> Step {
        let kind = index.isUnique ? "UNIQUE INDEX" : "INDEX"
        let target = "\(name) ON \(table) \(index.text)"
        return isPartitioned
            ? .inside("CREATE \(kind) \(target)") : .outside("CREATE \(kind) CONCURRENTLY \(target)")
    }

    /// Drops an index beside readers and writers.
    func indexRemoval(_ name: String) -> Step {
        isPartitioned ? .inside("DROP INDEX \(name)") : .outside("DROP INDEX CONCURRENTLY \(name)")
    }

    /// Makes a column NOT NULL: Postgres does not read the rows when a valid check says the same.
    func notNull(_ column: String) -> [Step] {
        let name = quoted("\(WrittenSQL.names(in: column).first ?? column)_is_not_null")
        return constraint(name, "CHECK (\(column) IS NOT NULL)") + [
            .inside("\(place) ALTER COLUMN \(column) SET NOT NULL"), .inside("\(place) DROP CONSTRAINT \(name)"),
        ]
    }

    /// Adds a column whose default differs from row to row: new rows get theirs at once, those that are there in batches.
    /// - Parameter key: the column that is the primary key; without one, all rows are updated at once.
    func column(_ column: String, _ type: String, default value: String, isNullable: Bool, key: String?) -> [Step] {
        let batches = key.flatMap(SQLComment.batches)
        return [
            .inside("\(place) ADD COLUMN \(column) \(type)"),
            .inside("\(place) ALTER COLUMN \(column) SET DEFAULT \(value)"),
            .outside(
                "UPDATE \(table) SET \(column) = DEFAULT WHERE \(column) IS NULL", batches.map { [$0] } ?? []),
        ] + (isNullable ? [] : notNull(column))
    }
}

extension Catalog.Table {
    /// What changes it while it is in use.
    var safeForm: SafeForm { SafeForm(table: quoted(name), isPartitioned: isPartitioned) }
}
