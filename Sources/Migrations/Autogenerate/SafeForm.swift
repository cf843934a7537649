/// Statements that change a table in use. Where Postgres permits, they block writes to the table only for a moment.
struct SafeForm {
    /// The table, as an SQL identifier.
    let table: String
    /// Whether the table is partitioned. The indexes of a partitioned table cannot be created or dropped CONCURRENTLY,
    /// and its foreign keys cannot be added NOT VALID before Postgres 18.
    var isPartitioned = false

    private var alterTable: String { "ALTER TABLE \(table)" }

    /// Returns the steps that add a constraint.
    ///
    /// The index of a key is built CONCURRENTLY. A check or a foreign key is added NOT VALID and then validated, so
    /// that the statement that takes the strong lock (SHARE ROW EXCLUSIVE on both tables for a foreign key) reads no
    /// rows. EXCLUDE constraints, for which Postgres has no such form, are added in one step.
    func constraint(_ name: String, _ definition: String) -> [Step] {
        if let key = key(name, definition, index: name) { return [key.build, key.addition] }
        let add = "\(alterTable) ADD CONSTRAINT \(name)"
        let constraint = Constraint(definition)
        let canWait = constraint.isCheck || constraint.isForeignKey && !isPartitioned
        guard canWait, constraint.meaning == definition else {
            return [.inside("\(add) \(definition)")]
        }
        return [.inside("\(add) \(definition) NOT VALID"), .outside("\(alterTable) VALIDATE CONSTRAINT \(name)")]
    }

    /// Returns the steps that build the index of a key CONCURRENTLY, and add the key using this index, which Postgres
    /// renames to the key's name; `nil` for other constraints, and for partitioned tables.
    func key(_ name: String, _ definition: String, index: String) -> (build: Step, addition: Step)? {
        guard !isPartitioned, let key = definition.wholeMatch(of: SafeForm.key) else { return nil }
        let distinct = key.2 == nil ? "" : " NULLS NOT DISTINCT"
        return (
            .outside("CREATE UNIQUE INDEX CONCURRENTLY \(index) ON \(table) \(key.3)\(distinct)"),
            .inside("\(alterTable) ADD CONSTRAINT \(name) \(key.1) USING INDEX \(index)\(key.4 ?? "")")
        )
    }

    /// Matches a key's definition, such as `UNIQUE NULLS NOT DISTINCT (a, b) INCLUDE (c) DEFERRABLE`.
    private static var key: Regex<(Substring, Substring, Substring?, Substring, Substring?)> {
        /(?is)(UNIQUE|PRIMARY KEY)( NULLS NOT DISTINCT)? ?(\(.*\))((?: NOT)? DEFERRABLE.*)?/
    }

    /// Returns the step that creates an index, CONCURRENTLY unless the table is partitioned.
    func index(_ name: String, _ index: Catalog.Index) -> Step {
        let kind = index.isUnique ? "UNIQUE INDEX" : "INDEX"
        let target = "\(name) ON \(table) \(index.text)"
        return isPartitioned
            ? .inside("CREATE \(kind) \(target)") : .outside("CREATE \(kind) CONCURRENTLY \(target)")
    }

    /// Returns the step that drops an index, CONCURRENTLY unless the table is partitioned.
    func indexRemoval(_ name: String) -> Step {
        isPartitioned ? .inside("DROP INDEX \(name)") : .outside("DROP INDEX CONCURRENTLY \(name)")
    }

    /// Returns the steps that set a column NOT NULL. They add and validate a check first, so that Postgres does not
    /// scan the table while it is locked.
    func notNull(_ column: String) -> [Step] {
        let name = quoted("\(DeparsedSQL.names(in: column).first ?? column)_is_not_null")
        return constraint(name, "CHECK (\(column) IS NOT NULL)") + [
            .inside("\(alterTable) ALTER COLUMN \(column) SET NOT NULL"),
            .inside("\(alterTable) DROP CONSTRAINT \(name)"),
        ]
    }

    /// Returns the steps that add a column with a volatile default: first the column, then its default for new rows,
    /// then the values of existing rows in batches.
    /// - Parameter key: the primary key column for the batches; without it, all rows are updated in one statement.
    func column(_ column: String, _ type: String, default value: String, isNullable: Bool, key: String?) -> [Step] {
        let batches = key.flatMap(SQLComment.batches)
        return [
            .inside("\(alterTable) ADD COLUMN \(column) \(type)"),
            .inside("\(alterTable) ALTER COLUMN \(column) SET DEFAULT \(value)"),
            .outside(
                "UPDATE \(table) SET \(column) = DEFAULT WHERE \(column) IS NULL", batches.map { [$0] } ?? []),
        ] + (isNullable ? [] : notNull(column))
    }
}

extension Catalog.Table {
    /// The safe form of statements that change the table while it is in use.
    var safeForm: SafeForm { SafeForm(table: quoted(name), isPartitioned: isPartitioned) }
}
