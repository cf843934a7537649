/// A statement as the lint rules see it.
struct LintedStatement {
    let words: LintedWords
    /// The text of a `DO` statement, including its block; `nil` for other statements.
    private let block: String?
    /// The actions of an `ALTER TABLE`; empty for other statements.
    let actions: [LintedWords]
    let isOutside: Bool
    let isMarkedAsDataLoss: Bool
    let isInBatches: Bool
    /// The columns that earlier statements have proved NOT NULL.
    let proofs: NotNullProofs

    init(_ statement: Revision.Statement, proofs: NotNullProofs = NotNullProofs()) {
        self.proofs = proofs
        words = LintedWords(statement.sql)
        block = words.begins("do") ? statement.sql : nil
        actions = words.droppingPrefix("alter table [if] [exists] [only] *")?.parts ?? []
        isOutside = statement.isOutside
        isMarkedAsDataLoss = statement.dataLoss != nil
        isInBatches = statement.batches != nil
    }

    /// The definitions of the columns that an `ALTER TABLE` adds.
    var addedColumns: [LintedWords] { actions.compactMap(\.addedColumn) }

    /// The columns that the statement sets NOT NULL without a validated check.
    var unprovedColumns: [String] {
        actions.filter { $0.begins("alter [column] * set not null") }
            .compactMap { $0.droppingPrefix("alter [column]")?.first }.filter { !proofs.prove($0, of: table) }
    }

    /// The column and constraint definitions of a `CREATE TABLE`.
    var definitions: [LintedWords] { createdTable == nil ? [] : words.inner.parts }

    /// Whether the statement deletes rows, columns or tables, or is a `DO` block that commits by itself
    /// and whose text contains such a statement. The effect of other blocks is detected when they run.
    var deletesData: Bool {
        words.begins("drop table") || words.begins("truncate") || words.begins("delete from")
            || words.begins("with") && words.has("delete from")
            || actions.contains { $0.begins("drop") && !$0.begins("drop constraint") } || blockDeletesData
    }

    private var blockDeletesData: Bool {
        guard let block, block.contains(/(?i)\bcommit\b/) else { return false }
        return block.contains(/(?i)\b(?:delete\s+from|truncate|drop\s+(?:table|column|schema|materialized))\b/)
            || block.contains(/(?i)\balter\s+table\b[^;]*\bdrop\s+(?!constraint|default|not|expression|identity)/)
    }

    /// The table that the statement creates; `nil` for other statements.
    var createdTable: String? {
        name(words.droppingPrefix("create [global|local] [unlogged|temporary|temp] table [if] [not] [exists]"))
    }

    /// The affected table, if it can be derived from the statement.
    var table: String? {
        createdTable
            ?? name(
                words.droppingPrefix("alter|drop table [if] [exists] [only]")
                    ?? words.droppingPrefix("create [unique] index")?.after("on")?.droppingPrefix("[only]")
                    ?? words.droppingPrefix("truncate [table] [only]") ?? words.droppingPrefix("update [only]")
                    ?? words.droppingPrefix("delete from [only]") ?? words.droppingPrefix("cluster [verbose]")
                    ?? words.outer.droppingPrefix("reindex table")
                    ?? words.outer.droppingPrefix("vacuum [full] [verbose] [analyze]"))
    }

    private func name(_ words: LintedWords?) -> String? { words?.first.map { $0.filter { $0 != "\"" } } }
}

extension LintedWords {
    /// The definition of the column that an action of an `ALTER TABLE` adds; `nil` for other actions.
    fileprivate var addedColumn: LintedWords? {
        guard let column = droppingPrefix("add [column] [if] [not] [exists]") else { return nil }
        return column.begins("constraint|primary|unique|foreign|check|exclude") ? nil : column
    }

    /// The words after ADD, or after the name in ADD CONSTRAINT, in an action of an `ALTER TABLE`; `nil` for other
    /// actions.
    var addedConstraint: LintedWords? { droppingPrefix("add constraint *") ?? droppingPrefix("add") }

    /// Whether a column definition provides values for existing rows.
    var hasDefault: Bool { isSerial || outer.has("default|generated") }

    /// Whether a column definition has a serial type.
    var isSerial: Bool { begins("* serial|serial4|bigserial|serial8|smallserial|serial2") }

    /// Whether a column definition provides a different value for each row.
    var hasVolatileDefault: Bool {
        isSerial || outer.has("as identity")
            || after("default")?.isVolatile == true
    }

    /// Whether the SQL calls one of the common volatile functions. User-defined functions are not recognized.
    var isVolatile: Bool {
        calls([
            "random", "random_normal", "gen_random_uuid", "gen_random_bytes", "uuidv4", "uuidv7", "uuid_generate_v1",
            "uuid_generate_v4", "clock_timestamp", "timeofday", "nextval",
        ])
    }
}
