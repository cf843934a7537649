import SQL

/// Detects renamed tables and columns, and applies the new names to the catalog.
struct Renaming {
    private(set) var catalog: Catalog
    private(set) var changes: [Change] = []

    init(from actual: Catalog, to wanted: Catalog) {
        catalog = actual
        if let (old, new) = Renaming.table(actual, wanted) { renameTable(old, new) }
        for name in catalog.tables.keys.sorted() {
            guard let before = catalog.tables[name], let after = wanted.tables[name],
                let (from, to) = Renaming.column(before, after)
            else { continue }
            renameColumn(from, to, in: name)
        }
    }

    /// Returns the old and the new name of a renamed table: the only removed and the only added table, if both have the
    /// same columns, in any order; otherwise `nil`.
    private static func table(_ actual: Catalog, _ wanted: Catalog) -> (String, String)? {
        let (old, new) = (Set(actual.tables.keys), Set(wanted.tables.keys))
        let (removed, added) = (old.subtracting(new), new.subtracting(old))
        guard let from = removed.first, let to = added.first, removed.count == 1, added.count == 1,
            let before = actual.tables[from], let after = wanted.tables[to], before.types == after.types
        else { return nil }
        return (from, to)
    }

    /// Returns the old and the new name of a renamed column: a removed column and an added column that resembles it;
    /// `nil` unless there is exactly one such pair.
    private static func column(_ old: Catalog.Table, _ new: Catalog.Table) -> (String, String)? {
        let removed = old.columns.filter { new.column($0.name) == nil }
        let added = new.columns.filter { old.column($0.name) == nil }
        let pairs = removed.flatMap { from in added.filter { from.resembles($0) }.map { (from.name, $0.name) } }
        return pairs.count == 1 ? pairs[0] : nil
    }

    private static let waiver = SQLComment.waiver("renaming", "the models have the new name, and the rows are kept")

    private mutating func renameTable(_ old: String, _ new: String) {
        let isRecorded = catalog.tables[old]?.recording != nil
        func records(_ old: String, _ new: String) -> [Step] {
            isRecorded ? [.inside(RecordingTrigger.renaming(old, to: new))] : []
        }
        changes.append(
            Change(
                "Detected renamed table '\(old)' to '\(new)'",
                upgrade: [.inside("ALTER TABLE \(quoted(old)) RENAME TO \(quoted(new))", [Renaming.waiver])]
                    + records(old, new),
                downgrade: [.inside("ALTER TABLE \(quoted(new)) RENAME TO \(quoted(old))")] + records(new, old),
                remark:
                    "Detected as a rename, which keeps the rows. If it is a different table, drop the old one and "
                    + "create the new one."
            ))
        catalog.renameTable(old, to: new)
    }

    private mutating func renameColumn(_ old: String, _ new: String, in table: String) {
        let alterTable = "ALTER TABLE \(quoted(table)) RENAME COLUMN"
        changes.append(
            Change(
                "Detected renamed column '\(table).\(old)' to '\(new)'",
                upgrade: [.inside("\(alterTable) \(quoted(old)) TO \(quoted(new))", [Renaming.waiver])],
                downgrade: [.inside("\(alterTable) \(quoted(new)) TO \(quoted(old))")],
                remark:
                    "Detected as a rename, which keeps the values. If it is a different column, drop the old one and "
                    + "add the new one."
            ))
        catalog.renameColumn(old, to: new, in: table)
    }
}

extension Catalog.Table {
    /// The types of the columns by name.
    fileprivate var types: [String: String] {
        Dictionary(columns.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
    }
}

extension Catalog.Column {
    /// Whether another column may be the same one under a new name.
    fileprivate func resembles(_ other: Catalog.Column) -> Bool {
        type == other.type && isNullable == other.isNullable
            && (value == other.value || value.isPlain && other.value.isPlain)
    }
}

extension Catalog {
    /// Renames a table, also in the foreign keys that reference it.
    fileprivate mutating func renameTable(_ old: String, to new: String) {
        guard var table = tables.removeValue(forKey: old) else { return }
        table.name = new
        tables[new] = table
        changeForeignKeys(to: old) { own, other in
            let rest = other.drop { $0 != "(" }
            return "\(own) REFERENCES \(quoted(new))\(rest)"
        }
    }

    /// Renames a column, also in constraints, indexes, expressions and the foreign keys that reference it.
    fileprivate mutating func renameColumn(_ old: String, to new: String, in name: String) {
        guard var table = tables[name] else { return }
        func renamed(_ text: some StringProtocol) -> String { DeparsedSQL.renaming(old, to: new, in: text) }
        for index in table.columns.indices {
            if table.columns[index].name == old { table.columns[index].name = new }
            if case .generated(let expression) = table.columns[index].value {
                table.columns[index].value = .generated(renamed(expression))
            }
        }
        table.constraints = table.constraints.mapValues { definition in
            guard let (own, other) = Constraint(definition).ends else { return renamed(definition) }
            return "\(renamed(own)) REFERENCES \(other)"
        }
        table.indexes = table.indexes.mapValues { Index(isUnique: $0.isUnique, text: renamed($0.text)) }
        tables[name] = table
        changeForeignKeys(to: name) { own, other in
            let table = other.prefix { $0 != "(" }
            return "\(own) REFERENCES \(table)\(renamed(other.dropFirst(table.count)))"
        }
    }

    /// Redefines the foreign keys that reference a table. `change` returns the new definition, given the parts of the
    /// old one before and after REFERENCES.
    private mutating func changeForeignKeys(to target: String, _ change: (Substring, Substring) -> String) {
        for (name, table) in tables {
            tables[name]?.constraints = table.constraints.mapValues { definition in
                let constraint = Constraint(definition)
                guard constraint.target == target, let (own, other) = constraint.ends else { return definition }
                return change(own, other)
            }
        }
    }
}
