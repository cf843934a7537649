/// The trigger that records the changes of a table. The trigger calls the function `record_change`, which a migration
/// revision creates.
public struct RecordingTrigger: Hashable, Sendable {
    /// The name of the table in which changes are recorded.
    public static let records = "change_record"

    private let name: String
    private let key: String

    /// Creates the description of an existing trigger.
    /// - Parameters:
    ///   - name: The trigger's name, unquoted.
    ///   - key: The primary key column of the trigger's table, unquoted.
    public init(name: String, key: String) { (self.name, self.key) = (name, key) }

    /// Creates the description of the trigger that a model's table has.
    /// - Parameters:
    ///   - table: The name of the table, unquoted.
    ///   - key: The table's primary key column, unquoted.
    public init(of table: String, key: String) { self.init(name: table.withSuffix("_record_change"), key: key) }

    /// Returns the statement that creates the trigger on a table (Postgres manual, CREATE TRIGGER).
    public func creation(on table: String) -> String {
        "CREATE TRIGGER \(identifier(name)) AFTER INSERT OR UPDATE OR DELETE ON \(identifier(table)) "
            + "FOR EACH ROW EXECUTE FUNCTION record_change(\(literal(key)))"
    }

    /// Returns the statement that drops the trigger from a table.
    public func removal(on table: String) -> String { "DROP TRIGGER \(identifier(name)) ON \(identifier(table))" }

    /// Returns the statement that replaces the table name in the change records of a renamed table.
    public static func renaming(_ old: String, to new: String) -> String {
        "UPDATE \(records) SET table_name = \(literal(new)) WHERE table_name = \(literal(old))"
    }
}
