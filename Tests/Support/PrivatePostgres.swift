import EventLoop
import Foundation
import Postgres

/// A throw-away cluster for the tests of this process, which is gone when the process is.
public enum PrivatePostgres {
    /// Where its socket is; the cluster is made when this is first asked for.
    static let socketDirectory: Swift.Result<String, any Error> = Swift.Result {
        let folder = "/tmp/aktify-tests-\(getpid())"
        let pid = String(getpid())
        return try run(["scripts/cluster", "start", folder, "--watch", pid]).trimmingCharacters(
            in: .whitespacesAndNewlines)
    }
}

/// An empty database of one suite's own.
public struct TestDatabase: Sendable {
    /// Its name.
    public let name: String
    /// The directory of the cluster's socket.
    public let socketDirectory: String

    /// Makes a database.
    public init() throws {
        socketDirectory = try PrivatePostgres.socketDirectory.get()
        name = "test_" + UUID().uuidString.lowercased().replacing("-", with: "")
        let (configuration, statement) = (self.configuration(database: "postgres"), "CREATE DATABASE \(name)")
        _ = try Loop.run { try await Connection.open(configuration).script(statement) }
    }

    /// The variables by which a worker finds it.
    public var environment: [String: String] {
        [
            "POSTGRES_HOST": socketDirectory, "POSTGRES_DB": name, "POSTGRES_USER": "postgres", "POSTGRES_PORT": "5432",
            "POSTGRES_PASSWORD": "", "DATABASE_URL": "",
        ]
    }

    /// The configuration by which a pool finds it.
    public func configuration(database: String? = nil) -> PostgresConfiguration {
        PostgresConfiguration(
            server: .parts(
                host: socketDirectory, port: 5432, user: "postgres", password: "", database: database ?? name))
    }

    /// Runs SQL, and returns the first column of its first row as text.
    @discardableResult
    public func sql(_ text: String) throws -> String {
        try run([
            "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", socketDirectory, "-U", "postgres", name,
            "-c", text,
        ])
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
