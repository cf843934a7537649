/// The differences between the columns of two states of a table.
struct ColumnDifferences {
    let table: String
    let old: Catalog.Table
    let new: Catalog.Table
    /// The columns that the upgrade or the downgrade drops and recreates: columns that become or cease to be generated,
    /// and generated columns that change or depend on a column whose type changes.
    let recreated: Set<String>

    private var alterTable: String { "ALTER TABLE \(quoted(table))" }

    private var removed: [Catalog.Column] { old.columns.filter { new.column($0.name) == nil } }
    private var added: [Catalog.Column] { new.columns.filter { old.column($0.name) == nil } }

    /// The changes that drop generated columns or their expressions. They are made before `altered`, because generated
    /// columns depend on other columns.
    var ungenerated: [Change] {
        removed.filter(\.value.isGenerated).map(drop) + recreatedColumns.flatMap(dropGenerated)
    }

    /// The changes that add, alter and drop ordinary columns, to be made after `ungenerated` and before `generated`.
    var altered: [Change] {
        added.filter { !$0.value.isGenerated }.map(add) + new.columns.flatMap(alter)
            + removed.filter { !$0.value.isGenerated }.map(drop) + recreatedColumns.flatMap(dropForGeneration)
    }

    /// The changes that add generated columns. They are made after `altered`, because generated columns depend on other
    /// columns.
    var generated: [Change] { recreatedColumns.flatMap(addGenerated) + added.filter(\.value.isGenerated).map(add) }

    // MARK: Whole columns

    private func addition(_ column: Catalog.Column) -> [Step] {
        guard case .expression(let value) = column.value, LintedWords(value).isVolatile else {
            return [.inside("\(alterTable) ADD COLUMN \(column.line)")]
        }
        return old.safeForm.column(
            quoted(column.name), column.fullType, default: value, isNullable: column.isNullable,
            key: old.singleKey(retainedIn: new).map(quoted))
    }

    private func removal(_ column: Catalog.Column) -> [Step] {
        [.inside("\(alterTable) DROP COLUMN \(quoted(column.name))")]
    }

    private func add(_ column: Catalog.Column) -> Change {
        Change(
            "Detected added column '\(table).\(column.name)'", upgrade: addition(column),
            downgrade: removal(column))
    }

    private func drop(_ column: Catalog.Column) -> Change {
        Change(
            "Detected removed column '\(table).\(column.name)'", upgrade: removal(column),
            downgrade: addition(column), dataLoss: "all values of \(table).\(column.name)")
    }

    // MARK: Generated columns

    private var recreatedColumns: [(before: Catalog.Column, after: Catalog.Column)] {
        new.columns.filter { recreated.contains($0.name) }.compactMap { after in
            old.column(after.name).map { (before: $0, after: after) }
        }
    }

    /// Returns the change that drops a generated column; empty if the column was not generated. If the column becomes
    /// an ordinary one, the change drops only the expression, and the column retains its values.
    private func dropGenerated(_ before: Catalog.Column, _ after: Catalog.Column) -> [Change] {
        guard before.value.isGenerated else { return [] }
        guard after.value.isGenerated else {
            return [
                Change(
                    "Detected removed expression of column '\(table).\(after.name)'",
                    upgrade: [.inside("\(alterTable) ALTER COLUMN \(quoted(after.name)) DROP EXPRESSION")],
                    downgrade: removal(before) + addition(before))
            ]
        }
        let waiver = SQLComment.waiver("unmarked-data-loss", "its values are computed again")
        let removal = removal(before).map { Step.inside($0.sql, [waiver]) }
        return [Change(upgrade: removal, downgrade: addition(before))]
    }

    /// Returns the change that drops an ordinary column that becomes a generated one; empty if the column was already
    /// generated. The change is made after `ungenerated`, because generated columns may depend on the dropped column.
    private func dropForGeneration(_ before: Catalog.Column, _ after: Catalog.Column) -> [Change] {
        guard !before.value.isGenerated else { return [] }
        return [
            Change(
                upgrade: removal(before), downgrade: addition(before),
                dataLoss: "all values of \(table).\(after.name)")
        ]
    }

    private func addGenerated(_ before: Catalog.Column, _ after: Catalog.Column) -> [Change] {
        guard after.value.isGenerated else { return [] }
        let isSame = (before.type, before.isNullable, before.value) == (after.type, after.isNullable, after.value)
        let summary = "Detected expression of column '\(table).\(after.name)'"
        return [Change(isSame ? nil : summary, upgrade: addition(after), downgrade: removal(after))]
    }

    // MARK: Parts of columns

    private func alter(_ after: Catalog.Column) -> [Change] {
        guard var before = old.column(after.name), !after.value.isGenerated else { return [] }
        if before.value.isGenerated { before.value = .null }
        let value = ColumnValueDifference(table: table, before: before, after: after)
        return value.beforeTypeChange + changeType(before, after) + changeNull(before, after) + value.afterTypeChange
    }

    private func changeNull(_ before: Catalog.Column, _ after: Catalog.Column) -> [Change] {
        guard before.isNullable != after.isNullable else { return [] }
        let column = "\(alterTable) ALTER COLUMN \(quoted(after.name))"
        // Serial, identity and generated columns change in one transaction, and need NOT NULL immediately.
        let isPlain = old.column(after.name)?.value.isPlain == true && after.value.isPlain
        let set =
            isPlain ? old.safeForm.notNull(quoted(after.name)) : [.inside("\(column) SET NOT NULL")]
        let drop = [Step.inside("\(column) DROP NOT NULL")]
        return [
            Change(
                "Detected \(after.isNullable ? "NULL" : "NOT NULL") on column '\(table).\(after.name)'",
                upgrade: after.isNullable ? drop : set, downgrade: after.isNullable ? set : drop)
        ]
    }

    private func changeType(_ before: Catalog.Column, _ after: Catalog.Column) -> [Change] {
        guard before.type != after.type else { return [] }
        func set(_ from: Catalog.Column, _ to: Catalog.Column) -> [Step] {
            let value = SQLType.conversion(of: quoted(to.name), from: from.type, to: to.type)
            let change = "\(alterTable) ALTER COLUMN \(quoted(to.name)) TYPE \(to.fullType) USING \(value)"
            let isFree = from.collation == to.collation && SQLType(to.type).storesAsIs(SQLType(from.type))
            let waiver = SQLComment.waiver("changing-type", "it rewrites no row, since the stored values are the same")
            let step = Step.inside(change, isFree ? [waiver] : [])
            guard before.value == .serial, after.value == .serial, let sequence = before.sequence else {
                return [step]
            }
            return [step, .inside("ALTER SEQUENCE \(sequence) AS \(to.type)")]
        }
        let fits = SQLType(after.type).holds(SQLType(before.type))
        return [
            Change(
                "Detected type change from \(before.type) to \(after.type) on '\(table).\(after.name)'",
                upgrade: set(before, after), downgrade: set(after, before),
                dataLoss: fits ? nil : "values of \(table).\(after.name) that do not fit \(after.type)")
        ]
    }
}

extension Catalog.Table {
    /// Returns the table's primary key column; `nil` if the table has no primary key or a composite one, or if the
    /// primary key changes.
    fileprivate func singleKey(retainedIn new: Catalog.Table) -> String? {
        guard let key = constraints.values.first(where: { $0.hasPrefix("PRIMARY KEY") }),
            new.hasEquivalent(Constraint(key))
        else { return nil }
        let names = Constraint(key).names.filter { column($0) != nil }
        return names.count == 1 ? names.first : nil
    }
}

/// The difference between the old and the new default of a column: an expression, a sequence, an identity or NULL.
/// `ColumnDifferences` handles generation expressions itself.
struct ColumnValueDifference {
    let table: String
    let before: Catalog.Column
    let after: Catalog.Column

    private var column: String { "ALTER TABLE \(quoted(table)) ALTER COLUMN \(quoted(after.name))" }

    private var summary: String { "Detected server default on column '\(table).\(after.name)'" }

    /// Whether a single change can replace the default: the old and the new value are expressions or NULL, and the
    /// column's type stays the same. If the type changes, the old default may not fit the new type.
    private var isPlain: Bool { before.type == after.type && before.value.isPlain && after.value.isPlain }

    /// The changes of the default value to be made before the column's type changes.
    var beforeTypeChange: [Change] {
        guard before.value != after.value, before.value != .null, !isPlain else { return [] }
        return [
            Change(after.value == .null ? summary : nil, upgrade: unset(before), downgrade: set(before))
        ]
    }

    /// The changes of the default value to be made after the column's type has changed.
    var afterTypeChange: [Change] {
        guard before.value != after.value else { return [] }
        if isPlain { return [Change(summary, upgrade: replace(after), downgrade: replace(before))] }
        guard after.value != .null else { return [] }
        return [Change(summary, upgrade: set(after), downgrade: unset(after))]
    }

    private func replace(_ column: Catalog.Column) -> [String] { column.value == .null ? unset(column) : set(column) }

    private func set(_ state: Catalog.Column) -> [String] {
        switch state.value {
        case .null, .generated: return []
        case .expression(let expression): return ["\(column) SET DEFAULT \(expression)"]
        case .serial:
            let sequence = sequence(of: state)
            return [
                "CREATE SEQUENCE \(sequence) AS \(state.type) OWNED BY \(quoted(table)).\(quoted(state.name))",
                countFromLast(literal(sequence)), "\(column) SET DEFAULT nextval(\(literal(sequence))::regclass)",
            ]
        case .identity(let clause):
            let sequence = "pg_get_serial_sequence(\(literal(quoted(table))), \(literal(state.name)))"
            return ["\(column) ADD \(clause)", countFromLast(sequence)]
        }
    }

    private func unset(_ state: Catalog.Column) -> [String] {
        switch state.value {
        case .null, .expression, .generated: ["\(column) DROP DEFAULT"]
        case .serial: ["\(column) DROP DEFAULT", "DROP SEQUENCE \(sequence(of: state))"]
        case .identity: ["\(column) DROP IDENTITY"]
        }
    }

    /// Returns the statement that sets a sequence to the greatest value of the column in the existing rows.
    private func countFromLast(_ sequence: String) -> String {
        let last = "max(\(quoted(after.name)))"
        return "SELECT setval(\(sequence), \(last)) FROM \(quoted(table)) HAVING \(last) > 0"
    }

    private func sequence(of state: Catalog.Column) -> String {
        state.sequence ?? quoted("\(table)_\(state.name)_seq")
    }
}
