import Postgres
import SQL

/// All that the migrations of a database may make, as Postgres writes it down: what verification compares.
///
/// It holds more than a `Catalog`, which has only what models can say. The order of columns is none of it, nor is what belongs to
/// an extension.
struct Inventory: Hashable, Sendable {
    /// Definitions, by what they define: `view public.v`.
    private var definitions: [String: String] = [:]

    /// Reads all schemas of a database but Postgres's own.
    /// - Throws: `PostgresError`.
    init(reading connection: Connection) async throws {
        for query in Inventory.queries {
            for row in try await connection.rows(query) { definitions[row[0]] = row[1] }
        }
    }

    /// Reads a database.
    /// - Throws: `PostgresError`.
    init(reading configuration: PostgresConfiguration) async throws {
        let connection = try await Connection.open(configuration)
        defer { connection.close() }
        try await self.init(reading: connection)
    }

    /// What is different from another one, in words; `nil` when nothing is.
    /// - Parameter allowed: what there may be besides.
    func difference(from before: Inventory, besides allowed: Set<String> = []) -> String? {
        let (old, new) = (Set(before.definitions.keys), Set(definitions.keys))
        let changed = old.intersection(new).filter { definitions[$0] != before.definitions[$0] }
        let parts = [
            ("it leaves", new.subtracting(old).subtracting(allowed)), ("it does not bring back", old.subtracting(new)),
            ("it leaves another", changed),
        ]
        let words = parts.filter { !$0.1.isEmpty }.map { "\($0.0) \(Inventory.list($0.1))" }
        return words.isEmpty ? nil : words.joined(separator: "; ")
    }

    private static func list(_ names: Set<String>) -> String {
        let shown = names.sorted().prefix(5).joined(separator: ", ")
        return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
    }
}
