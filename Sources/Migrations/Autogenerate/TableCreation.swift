/// The creation of tables in an order in which each table references only existing ones.
struct TableCreation {
    private let catalog: Catalog
    private let name: String
    /// The foreign keys of previously created tables that reference this table: they are added after this table is
    /// created.
    private let late: [(table: String, name: String, definition: String)]
    /// The names of this table's foreign keys that are added later, because they reference tables created after it.
    private let deferredKeys: Set<String>

    /// Returns two lists of changes: one that drops all tables of a catalog except the retained ones, and one that
    /// creates the same tables.
    static func changes(of catalog: Catalog, without retained: [String]) -> (dropping: [Change], adding: [Change]) {
        let creations = ordered(catalog, Set(catalog.tables.keys).subtracting(retained))
        return (creations.reversed().flatMap(\.dropping), creations.flatMap(\.adding))
    }

    /// Sorts tables by their foreign keys; tables with cyclic references are created in alphabetical order.
    private static func ordered(_ catalog: Catalog, _ names: Set<String>) -> [TableCreation] {
        var (rest, creations) = (names, [TableCreation]())
        var deferredKeys: [String: Set<String>] = [:]
        while let next = next(in: rest, of: catalog) {
            rest.remove(next)
            for key in catalog.foreignKeys(of: next) where rest.contains(key.target) {
                deferredKeys[next, default: []].insert(key.name)
            }
            let late = deferredKeys.keys.sorted().flatMap { table in
                catalog.foreignKeys(of: table)
                    .filter { $0.target == next && table != next && deferredKeys[table]?.contains($0.name) == true }
                    .map { (table: table, name: $0.name, definition: $0.definition) }
            }
            creations.append(
                TableCreation(catalog: catalog, name: next, late: late, deferredKeys: deferredKeys[next] ?? []))
        }
        return creations
    }

    private static func next(in rest: Set<String>, of catalog: Catalog) -> String? {
        let sorted = rest.sorted()
        return sorted.first { name in
            !catalog.foreignKeys(of: name).contains { $0.target != name && rest.contains($0.target) }
        } ?? sorted.first
    }

    private var creation: [String] { catalog.tables[name]?.creation(without: deferredKeys) ?? [] }

    private var adding: [Change] {
        [
            Change(
                "Detected added table '\(name)'", upgrade: creation, downgrade: ["DROP TABLE \(quoted(name))"])
        ] + late.map(addLate)
    }

    /// Returns the change that adds a foreign key to a table that has no rows yet.
    private func addLate(_ table: String, _ name: String, _ definition: String) -> Change {
        let alterTable = "ALTER TABLE \(quoted(table))"
        return Change(
            upgrade: ["\(alterTable) ADD CONSTRAINT \(quoted(name)) \(definition)"],
            downgrade: ["\(alterTable) DROP CONSTRAINT \(quoted(name))"])
    }

    private var dropping: [Change] {
        late.map { addLate($0.table, $0.name, $0.definition).inverted() } + [
            Change(
                "Detected removed table '\(name)'", upgrade: ["DROP TABLE \(quoted(name))"], downgrade: creation,
                dataLoss: "all rows of \(name)")
        ]
    }
}

extension Catalog {
    /// The foreign keys of a table, sorted by name.
    func foreignKeys(of table: String) -> [(name: String, definition: String, target: String)] {
        (tables[table]?.constraints ?? [:]).sorted { $0.key < $1.key }.compactMap { name, definition in
            Constraint(definition).target.map { (name, definition, $0) }
        }
    }
}

/// Returns the change that adds a constraint to an existing table. `summary` is `nil` for a constraint that was dropped
/// only temporarily.
func addConstraint(_ name: String, _ definition: String, to table: Catalog.Table, _ summary: String? = nil) -> Change {
    Change(
        summary, upgrade: table.safeForm.constraint(quoted(name), definition),
        downgrade: [.inside("ALTER TABLE \(quoted(table.name)) DROP CONSTRAINT \(quoted(name))")])
}

/// Returns the change that drops a constraint of an existing table. `summary` is `nil` for a constraint that is dropped
/// only temporarily.
func dropConstraint(_ name: String, _ definition: String, of table: Catalog.Table, _ summary: String? = nil) -> Change {
    addConstraint(name, definition, to: table).inverted(summary)
}
