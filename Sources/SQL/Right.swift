/// A privilege that a role needs on a table (Postgres manual, section 5.7). Granting INSERT includes USAGE of the
/// sequences of the table's `serial` columns.
public struct Right: Hashable, Sendable {
    /// The kind of a privilege: the SQL command that it permits.
    public enum Privilege: String, CaseIterable, Sendable {
        case select = "SELECT"
        case insert = "INSERT"
        case update = "UPDATE"
        case delete = "DELETE"
    }

    /// The kind of the privilege.
    public var privilege: Privilege
    /// The name of the table.
    public var table: String
    /// The column that the privilege is restricted to; `nil` for the whole table.
    public var column: String?

    /// Creates a privilege on a table, or on one of its columns.
    public init(_ privilege: Privilege, on table: String, column: String? = nil) {
        (self.privilege, self.table, self.column) = (privilege, table, column)
    }
}
