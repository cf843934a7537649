import EventLoop
import Migrations
import ORM
import TestSupport
import Web

@testable import AktifyAPI

/// Creates a database for a test, and migrates it to the head.
func migratedDatabase() throws -> TestDatabase {
    let database = try TestDatabase()
    let graph = try ScriptDirectory("\(checkout)/migrations").graph()
    let configuration = database.directConfiguration()
    try Loop.run { try await Migrator(graph: graph, configuration: configuration) { _ in }.upgrade() }
    return database
}

/// Runs `body` with the whole application on a new database.
func withApp(
    _ variables: [String: String] = [:],
    _ body: @escaping @Sendable (RecordingClient, TestDatabase) async throws -> Void
) throws {
    let database = try migratedDatabase()
    try Loop.run {
        var config = try Config(environment: ["AUTH": "off"].merging(variables) { $1 }, readFile: { _ in nil })
        config.database = try database.configuration()
        // On a busy machine, opening the first connection may take longer than the default.
        config.database.acquireTimeout = .seconds(5)
        try await body(RecordingClient(createApp(config), database.directConfiguration()), database)
    }
}
