/// The differences between the foreign keys of the tables that exist before and after the changes.
struct ForeignKeyDifferences {
    let tables: [TableDifferences]

    /// The changes that drop foreign keys, to be made before the columns, indexes and other constraints change.
    var dropped: [Change] {
        tables.flatMap { table in
            let removed = Set(table.old.constraints(missingFrom: table.new).map(\.key))
            return foreignKeys(of: table.old).filter {
                removed.contains($0.key) || mustBeDroppedTemporarily($0.value, in: table)
            }
            .map { name, definition in
                let summary = "Detected removed constraint '\(name)' on '\(table.old.name)'"
                return dropConstraint(
                    name, definition, of: table.old, removed.contains(name) ? summary : nil)
            }
        }
    }

    /// The changes that add foreign keys, to be made after all other changes.
    var added: [Change] {
        tables.flatMap { table in
            let added = table.new.constraints(missingFrom: table.old).filter { Constraint($0.value).isForeignKey }
            let restored = foreignKeys(of: table.old).filter {
                table.new.hasEquivalent(Constraint($0.value)) && mustBeDroppedTemporarily($0.value, in: table)
            }
            return added.map { name, definition in
                let summary = "Detected added constraint '\(name)' on '\(table.new.name)'"
                return addConstraint(name, definition, to: table.old, summary)
            } + restored.map { addConstraint($0.key, $0.value, to: table.old) }
        }
    }

    private func foreignKeys(of table: Catalog.Table) -> [(key: String, value: String)] {
        table.constraints.filter { Constraint($0.value).isForeignKey }.sorted { $0.key < $1.key }
    }

    /// Whether a foreign key must be dropped temporarily: its columns or the referenced columns are retyped or
    /// recreated, or the referenced key is dropped.
    private func mustBeDroppedTemporarily(_ definition: String, in table: TableDifferences) -> Bool {
        let key = Constraint(definition)
        guard key.names.isDisjoint(with: table.recreated.union(table.retyped)) else { return true }
        guard let target = tables.first(where: { $0.old.name == key.target }) else { return false }
        return !key.targetColumns.isDisjoint(with: target.recreated.union(target.retyped))
            || target.droppedKeys.contains(key.targetColumns)
    }
}
