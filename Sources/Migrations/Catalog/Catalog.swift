import SQL

/// The tables of a schema in Postgres's own notation, so that two schemas can be compared.
public struct Catalog: Hashable, Sendable {
    /// A column of a table.
    public struct Column: Hashable, Sendable {
        /// The name, unquoted.
        var name: String
        /// The type, as `format_type` returns it.
        var type: String
        /// The collation, if it is not the type's default, as an SQL identifier; models cannot specify one.
        var collation: String?
        /// Whether the column can be NULL.
        var isNullable: Bool
        /// The column's default.
        var value: Value
        /// The sequence that the column owns, if any.
        var sequence: String?
    }

    /// The value of a column that an INSERT omits.
    enum Value: Hashable, Sendable {
        /// NULL: the column has no default.
        case null
        /// A default expression.
        case expression(String)
        /// The next value of an owned sequence, as for a serial column.
        case serial
        /// The next value of an identity column with this clause, such as `GENERATED ALWAYS AS IDENTITY`.
        case identity(String)
        /// A generated column's expression.
        case generated(String)

        var isGenerated: Bool { if case .generated = self { true } else { false } }

        /// Whether the value is a default expression or NULL.
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
        /// The definition from the access method on, such as `USING btree (name)`.
        var text: String
    }

    /// A table with its columns, constraints and indexes.
    public struct Table: Hashable, Sendable {
        /// The name, unquoted.
        var name: String
        /// Whether the table is partitioned.
        var isPartitioned = false
        /// The columns, in table order.
        var columns: [Column] = []
        /// The definitions of the table's keys, checks, foreign keys and exclusion constraints, by name.
        var constraints: [String: String] = [:]
        /// The table's indexes by name, without those of constraints.
        var indexes: [String: Index] = [:]
        /// The table's `record_change` trigger; `nil` if the table has none.
        var recording: RecordingTrigger?

        /// Returns the column with this name; `nil` if there is none.
        func column(_ name: String) -> Column? { columns.first { $0.name == name } }
    }

    /// The tables by name.
    var tables: [String: Table] = [:]

    /// The migration tool's own tables, which a catalog does not contain.
    static let ownTables: Set<String> = ["alembic_version", "migration_history", "migration_revision"]

    /// A copy with the columns sorted by name, and without the names of sequences. The order of columns differs, for
    /// example, after a dropped column has been added again.
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
