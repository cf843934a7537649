import Postgres
import SQL

/// Applies, undoes and applies again each revision in a database of its own, and looks whether an undo undoes.
public struct Verifier: Sendable {
    private let graph: RevisionGraph
    private let configuration: PostgresConfiguration
    private let log: @Sendable (String) -> Void

    /// Makes a verifier, on the server that the configuration names.
    /// - Parameter log: takes a line for each revision.
    public init(graph: RevisionGraph, configuration: PostgresConfiguration, log: @escaping @Sendable (String) -> Void) {
        (self.graph, self.configuration, self.log) = (graph, configuration, log)
    }

    /// Verifies all revisions.
    /// - Returns: what is wrong, a sentence each.
    /// - Throws: `PostgresError` when no database can be made, `MigrationFailed` when a revision fails.
    public func problems() async throws -> [String] {
        let name = "aktify_verify_" + String(UInt64.random(in: 0...UInt64.max), radix: 16)
        let server = try await Connection.open(configuration)
        defer { server.close() }
        try await server.script("CREATE DATABASE \(name)")
        var scratch = configuration
        scratch.database = name
        do {
            let problems = try await problems(in: scratch)
            try await server.script("DROP DATABASE \(name) WITH (FORCE)")
            return problems
        } catch {
            try await server.script("DROP DATABASE \(name) WITH (FORCE)")
            throw error
        }
    }

    private func problems(in scratch: PostgresConfiguration) async throws -> [String] {
        var options = Migrator.Options()
        options.allowsDataLoss = true
        let migrator = Migrator(graph: graph, configuration: scratch, options: options) { _ in }
        var problems: [String] = []
        for revision in graph.revisions {
            let before = try await catalog(scratch)
            try await migrator.upgrade(to: revision.id)
            let after = try await catalog(scratch)
            guard revision.downgrade.irreversible == nil else {
                log("\(revision.id): irreversible, by its own word")
                continue
            }
            try await migrator.downgrade(to: "-1")
            if try await catalog(scratch) != before {
                problems.append("\(revision.file): its downgrade does not undo its upgrade")
            }
            do { try await migrator.upgrade(to: revision.id) } catch let error as MigrationFailed {
                return problems + ["\(revision.file): it cannot be applied again after its downgrade: \(error)"]
            }
            if try await catalog(scratch) != after {
                problems.append("\(revision.file): after a downgrade, its upgrade makes something else")
            }
            log("\(revision.id): applied, undone, applied again")
        }
        return problems
    }

    private func catalog(_ configuration: PostgresConfiguration) async throws -> Catalog {
        let connection = try await Connection.open(configuration)
        defer { connection.close() }
        return try await Catalog(reading: connection).unordered
    }
}
