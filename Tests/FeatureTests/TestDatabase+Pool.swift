import EventLoop
import Postgres
import TestSupport

extension TestDatabase {
    /// Runs `body` on an event loop, with a new pool.
    func withPool<Value: Sendable>(
        connections: Int = 2, statementTimeout: Duration = .seconds(2), acquireTimeout: Duration = .seconds(1),
        _ body: @escaping @Sendable (Pool) async throws -> Value
    ) throws -> Value {
        var configuration = try configuration()
        configuration.connections = connections
        configuration.statementTimeout = statementTimeout
        configuration.acquireTimeout = acquireTimeout
        return try Loop.run { [configuration] in
            let pool = Pool(configuration)
            let value = try await body(pool)
            // A connection that is still in use when its event loop stops would never be closed.
            for _ in 0..<200 where pool.statistics.leased > 0 { try await Loop.current?.sleep(for: .milliseconds(10)) }
            return value
        }
    }
}
