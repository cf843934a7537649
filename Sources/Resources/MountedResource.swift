import HTTPTypes
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

    /// The rights on its table that its routes need; each of them reads rows, those that it writes too.
    public var rights: [Right] {
        let methods = blueprint(.inMemory()).methods
        let needed: [(Right.Privilege, Set<HTTPRequest.Method>)] = [
            (.select, methods), (.insert, [.post]), (.update, [.put, .patch]), (.delete, [.delete]),
        ]
        return needed.filter { !$1.isDisjoint(with: methods) }.map { Right($0.0, on: table.name) }
    }
}
