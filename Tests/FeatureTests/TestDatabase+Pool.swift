import EventLoop
import Postgres
import TestSupport

extension TestDatabase {
    /// Runs `body` on a loop, with a pool of its own.
    func withPool<Value: Sendable>(
        connections: Int = 2, statementTimeout: Duration = .seconds(2), acquireTimeout: Duration = .seconds(1),
        _ body: @escaping @Sendable (Pool) async throws -> Value
    ) throws -> Value {
        var configuration = try configuration()
        configuration.connections = connections
        configuration.statementTimeout = statementTimeout
        configuration.acquireTimeout = acquireTimeout
        return try Loop.run { [configuration] in try await body(Pool(configuration)) }
    }
}
