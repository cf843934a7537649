import EventLoop
import Migrations
import ORM
import TestSupport
import Web

@testable import AktifyAPI

/// A database of a test's own, with the schema that the migrations make.
func migratedDatabase() throws -> TestDatabase {
    let database = try TestDatabase()
    let graph = try ScriptDirectory("\(checkout)/migrations").graph()
    let configuration = database.directConfiguration()
    try Loop.run { try await Migrator(graph: graph, configuration: configuration) { _ in }.upgrade() }
    return database
}

/// Runs `body` with the whole application on a database of its own.
func withApp(
    _ variables: [String: String] = [:],
    _ body: @escaping @Sendable (RecordingClient, TestDatabase) async throws -> Void
) throws {
    let database = try migratedDatabase()
    try Loop.run {
        var config = try Config(environment: ["AUTH": "off"].merging(variables) { $1 }, readFile: { _ in nil })
        config.database = try database.configuration()
        try await body(RecordingClient(createApp(config), database.directConfiguration()), database)
    }
}
