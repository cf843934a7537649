import ORM
import SQL
import Web

/// A resource, and where it is mounted.
public struct MountedResource: Sendable {
    /// The prefix of its routes: `/campaigns`.
    public let prefix: String
    /// Its table.
    public let table: TableDefinition
    /// Makes its blueprint.
    public let blueprint: @Sendable (Repositories) -> Blueprint

    /// Makes one of what makes the blueprint from the rows of its model.
    public init<Row: Model>(_ prefix: String, _ blueprint: @escaping @Sendable (any Repository<Row>) -> Blueprint) {
        self.prefix = prefix
        table = Row.definition
        self.blueprint = { blueprint($0.of(Row.self)) }
    }
}
