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
        return try Loop.run { [configuration] in
            let pool = Pool(configuration)
            let value = try await body(pool)
            // Without its loop, a connection that is not at rest yet would stay so for ever.
            for _ in 0..<200 where pool.statistics.leased > 0 { try await Loop.current?.sleep(for: .milliseconds(10)) }
            return value
        }
    }
}
