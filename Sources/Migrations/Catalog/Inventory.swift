import Postgres
import SQL

/// The objects of a database, such as relations, routines, triggers and types, with their definitions in Postgres's own
/// notation. Verification compares inventories.
///
/// An inventory contains more kinds of objects than a `Catalog`, which is limited to what models can express, but not
/// all: operators and casts are missing. Objects of an extension, and the order of columns, are disregarded.
struct Inventory: Hashable, Sendable {
    /// The definitions by object, such as `view public.v`.
    private var definitions: [String: String] = [:]

    /// Reads all schemas of a database except Postgres's own.
    /// - Throws: `PostgresError`.
    init(reading connection: Connection) async throws {
        for query in Inventory.queries {
            for row in try await connection.rows(query) { definitions[row[0]] = row[1] }
        }
    }

    /// Opens a connection to a database, and reads its inventory.
    /// - Throws: `PostgresError`.
    init(reading configuration: PostgresConfiguration) async throws {
        let connection = try await Connection.open(configuration)
        defer { connection.close() }
        try await self.init(reading: connection)
    }

    /// Returns a description of the differences from an earlier inventory; `nil` if there are none.
    /// - Parameter allowed: the names of objects whose addition is not reported.
    func difference(from before: Inventory, besides allowed: Set<String> = []) -> String? {
        let (old, new) = (Set(before.definitions.keys), Set(definitions.keys))
        let changed = old.intersection(new).filter { definitions[$0] != before.definitions[$0] }
        let parts = [
            ("unexpected", new.subtracting(old).subtracting(allowed)), ("missing", old.subtracting(new)),
            ("changed", changed),
        ]
        let words = parts.filter { !$0.1.isEmpty }.map { "\($0.0) \(Inventory.list($0.1))" }
        return words.isEmpty ? nil : words.joined(separator: "; ")
    }

    private static func list(_ names: Set<String>) -> String {
        let shown = names.sorted().prefix(5).joined(separator: ", ")
        return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
    }
}
