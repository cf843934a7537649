/// What a schema holds, as Postgres itself writes it down, so that two can be compared.
public struct Catalog: Hashable, Sendable {
    /// A column.
    public struct Column: Hashable, Sendable {
        var name: String
        var type: String
        /// The collation, where it is not the type's own: models cannot say it.
        var collation: String?
        var isNullable: Bool
        var value: Value
        /// The sequence that belongs to it, if there is one.
        var sequence: String?
    }

    /// What a column is when an insert leaves it out.
    enum Value: Hashable, Sendable {
        /// NULL.
        case null
        /// An expression's value.
        case expression(String)
        /// The next number of the column's own sequence.
        case serial
        /// The next number of an identity column, whose clause this is: `GENERATED ALWAYS AS IDENTITY`.
        case identity(String)
        /// Always the value of an expression over other columns.
        case generated(String)

        var isGenerated: Bool { if case .generated = self { true } else { false } }

        /// Whether it is a mere default, or none.
        var isPlain: Bool {
            switch self {
            case .null, .expression: true
            case .serial, .identity, .generated: false
            }
        }
    }

    /// An index that belongs to no constraint.
    struct Index: Hashable, Sendable {
        var isUnique = false
        /// The access method and all behind it: `USING btree (name)`.
        var text: String
    }

    /// A table.
    public struct Table: Hashable, Sendable {
        var name: String
        var isPartitioned = false
        var columns: [Column] = []
        /// Keys, uniques, checks and foreign keys: definitions by name.
        var constraints: [String: String] = [:]
        /// By name, without those that belong to a constraint.
        var indexes: [String: Index] = [:]
        /// What makes the trigger that records changes; `nil` when there is none.
        var recording: String?

        func column(_ name: String) -> Column? { columns.first { $0.name == name } }
    }

    var tables: [String: Table] = [:]

    /// The tables that migrations keep for themselves.
    static let ownTables: Set<String> = ["alembic_version", "migration_history", "migration_revision"]

    /// The same, but for the order of the columns, which a column that comes back after it was dropped does not keep, and the names
    /// of their sequences.
    var unordered: Catalog {
        var catalog = self
        for name in tables.keys {
            catalog.tables[name]?.columns.sort { $0.name < $1.name }
            for index in catalog.tables[name]?.columns.indices ?? 0..<0 {
                catalog.tables[name]?.columns[index].sequence = nil
            }
        }
        return catalog
    }
}
