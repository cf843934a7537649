import Postgres
import SQL

/// The differences between two catalogs.
///
/// Objects are created after the objects that they depend on, and dropped before them: foreign keys are dropped first
/// and created last; indexes and constraints are dropped before columns. Each change contains the statements that
/// revert it; the downgrade reverts the changes in the opposite order. Existing tables are changed in the safe form
/// (`SafeForm`): slow statements run outside a transaction, so that they do not block other sessions.
public struct Differences {
    private let renames: [Change]
    private let tables: [TableDifferences]
    private let foreignKeys: ForeignKeyDifferences
    private let dropped: [Change]
    private let added: [Change]

    /// Compares the actual catalog of a database with the wanted one.
    public init(actual: Catalog, wanted: Catalog) {
        let renaming = Renaming(from: actual, to: wanted)
        let old = renaming.catalog
        let new = wanted.namingConstraints(besides: old)
        let retained = Set(old.tables.keys).intersection(new.tables.keys).sorted()
        renames = renaming.changes
        tables = retained.compactMap { name in
            guard let before = old.tables[name], let after = new.tables[name] else { return nil }
            return TableDifferences(before, after)
        }
        foreignKeys = ForeignKeyDifferences(tables: tables)
        dropped = TableCreation.changes(of: old, without: retained).dropping
        added = TableCreation.changes(of: new, without: retained).adding
    }

    /// Returns the changes that make a database match the models.
    /// - Throws: `PostgresError`; `MigrationFailed` if the models' tables cannot be created for the comparison.
    public static func changes(
        from configuration: PostgresConfiguration, to metadata: Metadata
    ) async throws -> [Change] {
        let (actual, wanted) = try await Catalog.compared(metadata, configuration)
        return Differences(actual: actual, wanted: wanted).changes
    }

    /// The changes, in an order in which they can be applied.
    public var changes: [Change] {
        stages.enumerated().flatMap { stage, changes in
            changes.map { change in
                var change = change
                change.stage = stage
                return change
            }
        }
    }

    /// The changes by stage. The stages are applied in order, and reverted in the opposite order.
    private var stages: [[Change]] {
        let columns = tables.map(\.columns)
        return [
            renames, foreignKeys.dropped + dropped, tables.flatMap(\.droppedFirst),
            tables.flatMap(\.replacements.early).map(\.change), columns.flatMap(\.ungenerated),
            columns.flatMap(\.altered), columns.flatMap(\.generated), tables.flatMap(\.replacements.late).map(\.change),
            tables.flatMap(\.createdLast),
            added + foreignKeys.added,
        ]
    }
}

extension Catalog {
    /// Returns a copy in which a new constraint is renamed if a remaining constraint or index has the same name. Such a
    /// conflict is possible because constraints are compared by their definitions, not by their names.
    fileprivate func namingConstraints(besides old: Catalog) -> Catalog {
        var catalog = self
        let taken = Set(tables.values.flatMap { table in old.tables[table.name]?.names(retainedIn: table) ?? [] })
        var names = taken.union(
            tables.values.flatMap { [$0.name] + Array($0.constraints.keys) + Array($0.indexes.keys) })
        for (table, state) in tables.sorted(by: { $0.key < $1.key }) {
            let added =
                old.tables[table].map(state.constraints(missingFrom:)) ?? state.constraints.sorted { $0.key < $1.key }
            for (name, definition) in added where taken.contains(name) {
                guard let newName = (1...).lazy.map({ "\(name)\($0)" }).first(where: { !names.contains($0) }) else {
                    continue
                }
                names.insert(newName)
                catalog.tables[table]?.constraints[name] = nil
                catalog.tables[table]?.constraints[newName] = definition
            }
        }
        return catalog
    }
}

extension Catalog.Table {
    /// The names of the constraints and indexes that another state of the table has, too.
    fileprivate func names(retainedIn new: Catalog.Table) -> [String] {
        constraints.filter { new.hasEquivalent(Constraint($0.value)) }.map(\.key)
            + indexes.filter { new.indexes[$0.key] == $0.value }.map(\.key)
    }
}
