/// A right on a table that a role needs (Postgres manual, section 5.7); INSERT brings USAGE of the sequences that number its rows.
public struct Right: Hashable, Sendable {
    /// What is allowed.
    public enum Privilege: String, CaseIterable, Sendable {
        case select = "SELECT"
        case insert = "INSERT"
        case update = "UPDATE"
        case delete = "DELETE"
    }

    /// What is allowed.
    public var privilege: Privilege
    /// The table's name.
    public var table: String
    /// The only column that it is for; `nil`: all.
    public var column: String?

    /// Makes a right.
    public init(_ privilege: Privilege, on table: String, column: String? = nil) {
        (self.privilege, self.table, self.column) = (privilege, table, column)
    }
}
