import SQL

/// The differences between two states of one table, except for foreign keys.
struct TableDifferences {
    let old: Catalog.Table
    let new: Catalog.Table
    /// The columns that the upgrade or the downgrade drops and recreates: columns that become or cease to be generated,
    /// and generated columns that change or depend on a column whose type changes. Indexes and constraints on recreated
    /// columns must be dropped temporarily.
    let recreated: Set<String>
    /// Columns whose type changes.
    let retyped: Set<String>
    /// The replacements of keys and indexes: the early ones are made before the columns change, the late ones after the
    /// columns have changed.
    private(set) var replacements: (early: [IndexReplacement], late: [IndexReplacement]) = ([], [])

    init(_ old: Catalog.Table, _ new: Catalog.Table) {
        (self.old, self.new) = (old, new)
        let pairs = new.columns.compactMap { after in old.column(after.name).map { (before: $0, after: after) } }
        let retyped = Set(pairs.filter { $0.before.type != $0.after.type }.map(\.after.name))
        self.retyped = retyped
        recreated = Set(
            pairs.filter { $0.after.mustBeRecreated(from: $0.before, retyped: retyped) }.map(\.after.name))
        findReplacements()
    }

    private var table: String { new.name }

    /// The changes that drop indexes and constraints, to be made before the columns change.
    var droppedFirst: [Change] {
        droppedIndexes.filter { !isReplaced($0.key) }.map { name, index in
            let summary = "Detected removed index '\(name)' on '\(table)'"
            return dropIndex(name, index, new.indexes[name] == index ? nil : summary)
        }
            + droppedConstraints.filter { !isReplaced($0.key) }.map { name, definition in
                let summary = "Detected removed constraint '\(name)' on '\(table)'"
                return dropConstraint(name, definition, of: old, mustBeDroppedTemporarily(definition) ? nil : summary)
            }
    }

    /// The changes of the columns.
    var columns: ColumnDifferences { ColumnDifferences(table: table, old: old, new: new, recreated: recreated) }

    /// The changes that create constraints and indexes, to be made after the columns have changed.
    var createdLast: [Change] {
        let constraints = new.constraints(missingFrom: old).filter {
            !Constraint($0.value).isForeignKey && !replacesAnother($0.key)
        }.map { name, definition in
            addConstraint(name, definition, to: old, "Detected added constraint '\(name)' on '\(table)'")
        }
        let restored = droppedConstraints.filter { mustBeDroppedTemporarily($0.value) }.map {
            addConstraint($0.key, $0.value, to: old)
        }
        let indexes = new.indexes.filter {
            (old.indexes[$0.key] != $0.value || mustBeDroppedTemporarily($0.value)) && !replacesAnother($0.key)
        }
        .sorted { $0.key < $1.key }
        .map { name, index in
            let summary = "Detected added index '\(name)' on '\(table)'"
            return addIndex(name, index, old.indexes[name] == index ? nil : summary)
        }
        return constraints + restored + indexes + recording
    }

    /// The change that creates, replaces or drops the table's change-recording trigger; empty if the trigger stays the
    /// same.
    private var recording: [Change] {
        guard old.recording != new.recording else { return [] }
        let kind = new.recording == nil ? "removed" : old.recording == nil ? "added" : "changed"
        func replacing(_ before: RecordingTrigger?, with after: RecordingTrigger?) -> [String] {
            [before?.removal(on: table), after?.creation(on: table)].compactMap(\.self)
        }
        return [
            Change(
                "Detected \(kind) record of changes on '\(table)'",
                upgrade: replacing(old.recording, with: new.recording),
                downgrade: replacing(new.recording, with: old.recording))
        ]
    }

    /// The columns of each key and unique index that is dropped, temporarily or permanently. Foreign keys that
    /// reference these columns must be dropped first.
    var droppedKeys: Set<Set<String>> {
        let names = Set(old.columns.map(\.name))
        let renamed = Set((replacements.early + replacements.late).filter(\.isRename).map(\.old.name))
        let keys = droppedConstraints.map { Constraint($0.value) }.filter(\.isKey).map(\.names)
        let indexes = droppedIndexes.filter { $0.value.isUnique && !renamed.contains($0.key) }.map {
            Set(DeparsedSQL.names(in: $0.value.text))
        }
        return Set((keys + indexes).map(names.intersection))
    }

    // MARK: Dropped constraints and indexes

    private var droppedConstraints: [(key: String, value: String)] {
        let removed = Set(old.constraints(missingFrom: new).map(\.key))
        return old.constraints.filter { name, definition in
            !Constraint(definition).isForeignKey && (removed.contains(name) || mustBeDroppedTemporarily(definition))
        }.sorted { $0.key < $1.key }
    }

    private var droppedIndexes: [(key: String, value: Catalog.Index)] {
        old.indexes.filter { new.indexes[$0.key] != $0.value || mustBeDroppedTemporarily($0.value) }.sorted {
            $0.key < $1.key
        }
    }

    /// Whether an unchanged constraint must be dropped while the columns change: it uses a recreated column, or is a
    /// check that uses a retyped column. A check of several columns may be invalid while only some are retyped.
    private func mustBeDroppedTemporarily(_ definition: String) -> Bool {
        let constraint = Constraint(definition)
        guard new.hasEquivalent(constraint) else { return false }
        let names = constraint.names
        return !names.isDisjoint(with: recreated) || constraint.isCheck && !names.isDisjoint(with: retyped)
    }

    private func mustBeDroppedTemporarily(_ index: Catalog.Index) -> Bool {
        !recreated.isEmpty && !recreated.isDisjoint(with: DeparsedSQL.names(in: index.text))
    }

    // MARK: Replacements

    private func isReplaced(_ name: String) -> Bool {
        (replacements.early + replacements.late).contains { $0.old.name == name }
    }

    private func replacesAnother(_ name: String) -> Bool {
        (replacements.early + replacements.late).contains { $0.new.name == name }
    }

    private mutating func findReplacements() {
        guard !old.isPartitioned, !new.isPartitioned else { return }
        let columns = Set((old.columns + new.columns).map(\.name))
        var added = new.keysAndIndexes(missingFrom: old)
        for member in old.keysAndIndexes(missingFrom: new) {
            let successors = added.filter { $0.canReplace(member, columns: columns) && isFree($0.name, for: member) }
            guard
                let successor = successors.first(where: { $0.side == member.side || $0.name == member.name })
                    ?? successors.first
            else { continue }
            let replacement = IndexReplacement(table: old, old: member, new: successor)
            // Both must exist at the same time: either before or after the columns change.
            if existsThroughout(successor, columns) {
                replacements.early.append(replacement)
            } else if existsThroughout(member, columns) {
                replacements.late.append(replacement)
            } else {
                continue
            }
            added.removeAll { $0 == successor }
        }
    }

    /// Whether no constraint or index of the old table, except the replaced member, has this name.
    private func isFree(_ name: String, for member: IndexReplacement.Member) -> Bool {
        name == member.name || old.constraints[name] == nil && old.indexes[name] == nil
    }

    /// Whether a key or index can exist both before and after the columns change: none of its columns is added,
    /// removed, retyped or recreated, and no column of a primary key changes between NULL and NOT NULL.
    /// - Parameter columns: the names of the table's columns, old and new.
    private func existsThroughout(_ member: IndexReplacement.Member, _ columns: Set<String>) -> Bool {
        member.columns(of: columns).allSatisfy { name in
            guard let before = old.column(name), let after = new.column(name) else { return false }
            return !recreated.contains(name) && !retyped.contains(name)
                && (!member.isPrimaryKey || before.isNullable == after.isNullable)
        }
    }

    private func addIndex(_ name: String, _ index: Catalog.Index, _ summary: String?) -> Change {
        Change(
            summary, upgrade: [old.safeForm.index(quoted(name), index)],
            downgrade: [old.safeForm.indexRemoval(quoted(name))])
    }

    private func dropIndex(_ name: String, _ index: Catalog.Index, _ summary: String?) -> Change {
        addIndex(name, index, nil).inverted(summary)
    }
}

extension Catalog.Table {
    /// Whether the table has a constraint with the same definition; names and NOT VALID are ignored.
    func hasEquivalent(_ constraint: Constraint) -> Bool {
        constraints.values.contains { Constraint($0).meaning == constraint.meaning }
    }

    /// The keys and indexes that another state of the table does not have, sorted by name.
    fileprivate func keysAndIndexes(missingFrom other: Catalog.Table) -> [IndexReplacement.Member] {
        let keys = constraints(missingFrom: other).filter { Constraint($0.value).isKey }.map {
            IndexReplacement.Member(name: $0.key, side: .key(definition: $0.value))
        }
        let indexes = indexes.filter { other.indexes[$0.key] != $0.value }.sorted { $0.key < $1.key }.map {
            IndexReplacement.Member(name: $0.key, side: .index($0.value))
        }
        return keys + indexes
    }

    /// Returns the constraints whose definition no constraint of another state of the table has. Names and NOT VALID
    /// are ignored in the comparison.
    /// - Returns: The name (`key`) and the definition (`value`) of each constraint, sorted by name.
    func constraints(missingFrom other: Catalog.Table) -> [(key: String, value: String)] {
        let known = Set(other.constraints.values.map { Constraint($0).meaning })
        return constraints.filter { !known.contains(Constraint($0.value).meaning) }.sorted { $0.key < $1.key }
    }
}

extension Catalog.Column {
    /// Whether the upgrade or the downgrade must drop and recreate the column: the column becomes or ceases to be
    /// generated, or it is generated and changes or depends on a retyped column.
    fileprivate func mustBeRecreated(from old: Catalog.Column, retyped: Set<String>) -> Bool {
        guard case .generated(let expression) = value else { return old.value.isGenerated }
        return old.type != type || old.value != value || old.isNullable != isNullable
            || !retyped.isDisjoint(with: DeparsedSQL.names(in: expression))
    }
}
