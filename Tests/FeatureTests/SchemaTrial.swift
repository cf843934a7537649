import EventLoop
import Postgres
import SQL
import TestSupport

@testable import Migrations

/// Migrates from one schema to another and back, with the statements that `Differences` generates, and checks the
/// schema after each direction.
struct SchemaTrial: Sendable {
    let connection: Connection

    /// Runs `body` with a new connection, on an event loop.
    static func run<Value: Sendable>(
        in database: TestDatabase, _ body: @escaping @Sendable (SchemaTrial) async throws -> Value
    ) throws -> Value {
        let configuration = database.directConfiguration()
        return try Loop.run {
            let connection = try await Connection.open(configuration)
            defer { connection.close() }
            try await connection.script("SET client_min_messages = error")
            return try await body(SchemaTrial(connection: connection))
        }
    }

    /// Creates or replaces a schema with the statements in `sql`, puts it first in the search path, and reads it from
    /// the catalog.
    func catalog(_ schema: String, _ sql: String) async throws -> Catalog {
        try await connection.script("DROP SCHEMA IF EXISTS \(schema) CASCADE; CREATE SCHEMA \(schema)")
        try await connection.script("SET search_path = \(schema), public; \(sql)")
        return try await Catalog(reading: connection)
    }

    /// Upgrades the first schema of the search path from `old` to `new`, downgrades it, and upgrades it again.
    /// The schema is compared after the first upgrade and after the downgrade.
    /// - Returns: the first error, or the first difference from the expected schema; `nil` if there is none.
    func problem(from old: Catalog, to new: Catalog) async throws -> String? {
        let sections = Differences(actual: old, wanted: new).changes.sections
        if let problem = await problem(sections.upgrade, "upgrade") { return problem }
        let after = try await Catalog(reading: connection)
        guard after.meaning == new.meaning else {
            let left = Differences(actual: after, wanted: new).changes.sections.upgrade
            return "the upgrade does not end where it should:\n\(sections.upgrade)\nis left: \(left)"
        }
        if let problem = await problem(sections.downgrade, "downgrade") { return problem }
        let back = try await Catalog(reading: connection)
        guard back.unordered == old.unordered else {
            let left = Differences(actual: back, wanted: old).changes.sections.upgrade
            return "the downgrade does not bring all back:\n\(sections.downgrade)\nis left: \(left)"
        }
        return await problem(sections.upgrade, "second upgrade")
    }

    private func problem(_ sql: String, _ name: String) async -> String? {
        do { try await connection.statements(sql) } catch { return "the \(name) fails: \(error)\n\(sql)" }
        return nil
    }
}

extension Catalog {
    /// The definitions of each table's columns, constraints and indexes, by table name. The names of constraints and
    /// the order of columns are ignored.
    var meaning: [String: Set<String>] {
        unordered.tables.mapValues { table in
            Set(table.columns.map(\.line)).union(table.constraints.values)
                .union(table.indexes.map { $0.value.creation($0.key, on: table.name) })
        }
    }
}
