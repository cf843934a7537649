import HTTPTypes
import ORM
import SQL
import Web

/// A resource, together with the prefix under which an application mounts its routes.
public struct MountedResource: Sendable {
    /// The prefix of the routes: `/campaigns`.
    public let prefix: String
    /// The definition of the resource's table.
    public let table: TableDefinition
    /// Creates the resource's blueprint, whose routes use the given repositories.
    public let blueprint: @Sendable (Repositories) -> Blueprint

    /// Creates a mounted resource.
    /// - Parameters:
    ///   - prefix: the prefix of the routes: `/campaigns`.
    ///   - blueprint: creates the resource's blueprint, given the repository of the resource's model.
    public init<Row: Model>(_ prefix: String, _ blueprint: @escaping @Sendable (any Repository<Row>) -> Blueprint) {
        self.prefix = prefix
        table = Row.definition
        self.blueprint = { blueprint($0.of(Row.self)) }
    }

    /// The database privileges that the routes need on the table. Every route needs SELECT, because writes return the
    /// written rows.
    public var rights: [Right] {
        let methods = blueprint(.inMemory()).methods
        let needed: [(Right.Privilege, Set<HTTPRequest.Method>)] = [
            (.select, methods), (.insert, [.post]), (.update, [.put, .patch]), (.delete, [.delete]),
        ]
        return needed.filter { !$1.isDisjoint(with: methods) }.map { Right($0.0, on: table.name) }
    }
}
