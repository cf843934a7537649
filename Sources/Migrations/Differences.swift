import SQL

/// Finds what the models have and the database has not, and the other way round.
public struct Differences {
    private let actual: Catalog
    private let wanted: Catalog
    private let metadata: Metadata

    /// Compares a database with the models.
    public init(actual: Catalog, wanted: Catalog, metadata: Metadata) {
        (self.actual, self.wanted, self.metadata) = (actual, wanted, metadata)
    }

    /// The changes, in an order in which they can be made.
    public var changes: [Change] {
        let (old, new) = (Set(actual.tables.keys), Set(wanted.tables.keys))
        let renamed = renamedTable(old.subtracting(new), new.subtracting(old))
        let added = new.subtracting(old).subtracting(renamed.map { [$0.new] } ?? [])
        let dropped = old.subtracting(new).subtracting(renamed.map { [$0.old] } ?? [])
        return (renamed.map { [$0.change] } ?? []) + added.sorted().map(addTable)
            + old.intersection(new).sorted().flatMap(changes) + dropped.sorted().map(dropTable)
    }

    // MARK: Tables

    /// A table that vanished while one like it appeared: most likely the same, under another name.
    private func renamedTable(_ gone: Set<String>, _ come: Set<String>) -> (old: String, new: String, change: Change)? {
        guard let old = gone.first, let new = come.first, gone.count == 1, come.count == 1,
            actual.tables[old]?.columns.map(\.name) == wanted.tables[new]?.columns.map(\.name),
            actual.tables[old]?.columns.map(\.type) == wanted.tables[new]?.columns.map(\.type)
        else { return nil }
        let change = Change(
            summary: "Detected renamed table '\(old)' to '\(new)'",
            upgrade: ["ALTER TABLE \(quoted(old)) RENAME TO \(quoted(new))"],
            downgrade: ["ALTER TABLE \(quoted(new)) RENAME TO \(quoted(old))"],
            remark:
                "Taken for a rename, which keeps the rows. If it is another table, drop the one and create the other.")
        return (old, new, change)
    }

    private func addTable(_ name: String) -> Change {
        let creation = metadata.tables.first { $0.name == name }?.creation ?? []
        return Change(
            summary: "Detected added table '\(name)'", upgrade: creation, downgrade: ["DROP TABLE \(quoted(name))"])
    }

    private func dropTable(_ name: String) -> Change {
        let table = actual.tables[name] ?? Catalog.Table(name: name)
        let lines =
            table.columns.map { self.line(of: $0, in: name) }
            + table.constraints.sorted { $0.key < $1.key }.map { "CONSTRAINT \(quoted($0.key)) \($0.value)" }
        let creation = "CREATE TABLE \(quoted(name)) (\n    " + lines.joined(separator: ",\n    ") + "\n)"
        return Change(
            summary: "Detected removed table '\(name)'", upgrade: ["DROP TABLE \(quoted(name))"],
            downgrade: [creation] + table.indexes.sorted { $0.key < $1.key }.map(\.value),
            dataLoss: "all rows of \(name)")
    }

    private func changes(in name: String) -> [Change] {
        guard let old = actual.tables[name], let new = wanted.tables[name] else { return [] }
        let columns = ColumnDifferences(table: name, old: old, new: new, line: { self.line(of: $0, in: name) })
        // A rename takes along what constraints and indexes say of the column.
        let renamed = columns.renamed.map { old.saying($0.to.name, insteadOf: $0.from.name) } ?? old
        return columns.changes + constraints(name, renamed, new) + indexes(name, renamed, new)
    }

    // MARK: Constraints and indexes

    private func constraints(_ table: String, _ old: Catalog.Table, _ new: Catalog.Table) -> [Change] {
        let place = "ALTER TABLE \(quoted(table))"
        func add(_ name: String, _ text: String) -> String { "\(place) ADD CONSTRAINT \(quoted(name)) \(text)" }
        func drop(_ name: String) -> String { "\(place) DROP CONSTRAINT \(quoted(name))" }
        let gone = old.constraints.filter { !new.constraints.values.contains($0.value) }.sorted { $0.key < $1.key }
        let come = new.constraints.filter { !old.constraints.values.contains($0.value) }.sorted { $0.key < $1.key }
        return gone.map { name, text in
            Change(
                summary: "Detected removed constraint '\(name)' on '\(table)'", upgrade: [drop(name)],
                downgrade: [add(name, text)])
        }
            + come.map { name, text in
                Change(
                    summary: "Detected added constraint '\(name)' on '\(table)'", upgrade: [add(name, text)],
                    downgrade: [drop(name)])
            }
    }

    private func indexes(_ table: String, _ old: Catalog.Table, _ new: Catalog.Table) -> [Change] {
        func drop(_ name: String) -> String { "DROP INDEX \(quoted(name))" }
        let gone = old.indexes.filter { new.indexes[$0.key] != $0.value }.sorted { $0.key < $1.key }
        let come = new.indexes.filter { old.indexes[$0.key] != $0.value }.sorted { $0.key < $1.key }
        return gone.map { name, text in
            Change(summary: "Detected removed index '\(name)' on '\(table)'", upgrade: [drop(name)], downgrade: [text])
        }
            + come.map { name, text in
                Change(
                    summary: "Detected added index '\(name)' on '\(table)'", upgrade: [text], downgrade: [drop(name)])
            }
    }

    /// `name character varying(255) NOT NULL`
    private func line(of column: Catalog.Column, in table: String) -> String {
        let isSerial = column.defaultValue == "nextval('\(table)_\(column.name)_seq'::regclass)"
        let serials = ["smallint": "smallserial", "integer": "serial", "bigint": "bigserial"]
        var line = "\(quoted(column.name)) \(isSerial ? serials[column.type] ?? column.type : column.type)"
        if let value = column.defaultValue, !isSerial { line += " DEFAULT \(value)" }
        return column.isNullable ? line : line + " NOT NULL"
    }
}

/// The differences between the columns of one table.
private struct ColumnDifferences {
    let table: String
    let old: Catalog.Table
    let new: Catalog.Table
    let line: (Catalog.Column) -> String

    private var place: String { "ALTER TABLE \(quoted(table))" }

    private var gone: [Catalog.Column] { old.columns.filter { new.column($0.name) == nil } }
    private var come: [Catalog.Column] { new.columns.filter { old.column($0.name) == nil } }

    var changes: [Change] {
        var (gone, come) = (gone, come)
        var changes: [Change] = []
        if let (from, to) = renamed {
            changes.append(rename(from, to))
            gone.removeAll { $0 == from }
            come.removeAll { $0 == to }
        }
        changes += come.map(add)
        for column in new.columns {
            if let before = old.column(column.name) { changes += alter(before, column) }
        }
        return changes + gone.map(drop)
    }

    /// A column that vanished while one like it appeared, if there is just one such pair: most likely the same, under another
    /// name.
    var renamed: (from: Catalog.Column, to: Catalog.Column)? {
        let pairs = gone.flatMap { from in
            come.filter { $0.type == from.type && $0.isNullable == from.isNullable }.map { (from: from, to: $0) }
        }
        return pairs.count == 1 ? pairs[0] : nil
    }

    private func rename(_ from: Catalog.Column, _ to: Catalog.Column) -> Change {
        Change(
            summary: "Detected renamed column '\(table).\(from.name)' to '\(to.name)'",
            upgrade: ["\(place) RENAME COLUMN \(quoted(from.name)) TO \(quoted(to.name))"],
            downgrade: ["\(place) RENAME COLUMN \(quoted(to.name)) TO \(quoted(from.name))"],
            remark:
                "Taken for a rename, which keeps the values. If it is another column, drop the one and add the other.")
    }

    private func add(_ column: Catalog.Column) -> Change {
        Change(
            summary: "Detected added column '\(table).\(column.name)'",
            upgrade: ["\(place) ADD COLUMN \(line(column))"],
            downgrade: ["\(place) DROP COLUMN \(quoted(column.name))"])
    }

    private func drop(_ column: Catalog.Column) -> Change {
        Change(
            summary: "Detected removed column '\(table).\(column.name)'",
            upgrade: ["\(place) DROP COLUMN \(quoted(column.name))"],
            downgrade: ["\(place) ADD COLUMN \(line(column))"], dataLoss: "all values of \(table).\(column.name)")
    }

    private func alter(_ before: Catalog.Column, _ after: Catalog.Column) -> [Change] {
        let column = "\(place) ALTER COLUMN \(quoted(after.name))"
        let name = "'\(table).\(after.name)'"
        var changes: [Change] = []
        if before.type != after.type { changes.append(changeType(before, after, column)) }
        if before.isNullable != after.isNullable {
            let (set, drop) = ("\(column) SET NOT NULL", "\(column) DROP NOT NULL")
            changes.append(
                Change(
                    summary: "Detected \(after.isNullable ? "NULL" : "NOT NULL") on column \(name)",
                    upgrade: [after.isNullable ? drop : set], downgrade: [after.isNullable ? set : drop]))
        }
        if before.defaultValue != after.defaultValue {
            func set(_ value: String?) -> String {
                value.map { "\(column) SET DEFAULT \($0)" } ?? "\(column) DROP DEFAULT"
            }
            changes.append(
                Change(
                    summary: "Detected server default on column \(name)", upgrade: [set(after.defaultValue)],
                    downgrade: [set(before.defaultValue)]))
        }
        return changes
    }

    private func changeType(_ before: Catalog.Column, _ after: Catalog.Column, _ column: String) -> Change {
        func set(_ type: String) -> [String] {
            let change = ["\(column) TYPE \(type) USING \(quoted(after.name))::\(type)"]
            let sequence = "\(table)_\(after.name)_seq"
            let isSerial = after.defaultValue == "nextval('\(sequence)'::regclass)"
            return isSerial ? change + ["ALTER SEQUENCE \(quoted(sequence)) AS \(type)"] : change
        }
        let fits = TypeWidth.holds(after.type, all: before.type)
        return Change(
            summary: "Detected type change from \(before.type) to \(after.type) on '\(table).\(after.name)'",
            upgrade: set(after.type), downgrade: set(before.type),
            dataLoss: fits ? nil : "what of \(table).\(after.name) does not fit \(after.type)")
    }
}

/// Which types hold all values of others.
private enum TypeWidth {
    static func holds(_ wide: String, all narrow: String) -> Bool {
        let integers = ["smallint", "integer", "bigint", "numeric"]
        if let from = integers.firstIndex(of: narrow), let to = integers.firstIndex(of: wide) { return from <= to }
        guard narrow.hasPrefix("character varying") || narrow == "text" else { return false }
        if wide == "text" || wide == "character varying" { return true }
        guard let from = length(narrow), let to = length(wide) else { return false }
        return from <= to
    }

    private static func length(_ type: String) -> Int? {
        guard type.hasPrefix("character varying("), type.hasSuffix(")") else { return nil }
        return Int(type.dropFirst("character varying(".count).dropLast())
    }
}

extension Catalog.Table {
    /// The same with another column's name in its constraints and indexes.
    fileprivate func saying(_ new: String, insteadOf old: String) -> Self {
        var table = self
        func renamed(_ text: String) -> String {
            text.replacing(/\w+/) { $0.output == old[...] ? new[...] : $0.output }
        }
        table.constraints = constraints.mapValues(renamed)
        table.indexes = indexes.mapValues(renamed)
        return table
    }
}

private func quoted(_ name: String) -> String { ColumnDefinition.quoted(name) }
