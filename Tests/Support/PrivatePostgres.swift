import EventLoop
import Foundation
import Postgres

/// A temporary Postgres cluster for the tests of this process. It is deleted when the process has exited.
public enum PrivatePostgres {
    /// The directory of the cluster's socket. The cluster is created on first access.
    static let socketDirectory: Swift.Result<String, any Error> = Swift.Result {
        let folder = "/tmp/aktify-tests-\(getpid())"
        let pid = String(getpid())
        return try run(["scripts/cluster", "start", folder, "--watch", pid]).trimmingCharacters(
            in: .whitespacesAndNewlines)
    }

    /// The socket directory of a PgBouncer in front of the cluster. PgBouncer is started on first access.
    static let bouncer: Swift.Result<(folder: String, process: Child), any Error> = Swift.Result {
        let folder = "/tmp/aktify-bouncer-\(getpid())"
        let command = ["scripts/pgbouncer", folder, try socketDirectory.get(), String(getpid())]
        let process = try Child(command, output: "/dev/null")
        for _ in 0..<500 where !FileManager.default.fileExists(atPath: "\(folder)/.s.PGSQL.6432") { usleep(10_000) }
        return (folder, process)
    }
}

/// A new, empty database for a test suite.
public struct TestDatabase: Sendable {
    /// Its name.
    public let name: String
    /// The directory of the cluster's socket.
    public let socketDirectory: String

    /// Creates a database.
    public init() throws {
        socketDirectory = try PrivatePostgres.socketDirectory.get()
        name = "test_" + UUID().uuidString.lowercased().replacing("-", with: "")
        let (configuration, statement) = (directConfiguration(database: "postgres"), "CREATE DATABASE \(name)")
        _ = try Loop.run { try await Connection.open(configuration).script(statement) }
    }

    /// The environment variables with which a worker connects to the database, without PgBouncer.
    public var environment: [String: String] {
        [
            "POSTGRES_HOST": socketDirectory, "POSTGRES_DB": name, "POSTGRES_USER": "postgres", "POSTGRES_PORT": "5432",
            "POSTGRES_PASSWORD": "", "DATABASE_URL": "",
        ]
    }

    /// The role that owns the schema, after `makeRoles`. Its name is unique, since roles belong to the cluster.
    public var owner: String { "owner_\(name)" }

    /// The serving role, after `makeRoles`.
    public var app: String { "app_\(name)" }

    /// Creates the roles `owner` and `app`, and makes `owner` the owner of the database, with `scripts/database-roles`.
    public func makeRoles() throws {
        let variables = ["PGHOST": socketDirectory, "PGUSER": "postgres", "OWNER": owner, "APP": app]
        try run(["scripts/database-roles", name], environment: variables)
    }

    /// The environment variables of a master with separate roles for owning the schema and for serving.
    public var environmentOfRoles: [String: String] {
        environment.merging(["POSTGRES_USER": app, "POSTGRES_OWNER": owner, "POSTGRES_OWNER_PASSWORD": "s3cret"]) { $1 }
    }

    /// Whether the tests use a PgBouncer in transaction pooling mode: `make test-pgbouncer`.
    public static let isPooled = ProcessInfo.processInfo.environment["TEST_PGBOUNCER"] == "1"

    /// The configuration of a connection pool.
    /// - Throws: when PgBouncer is to be used and its process cannot be spawned. A PgBouncer that exits or does not
    ///   listen is not noticed.
    public func configuration() throws -> PostgresConfiguration {
        guard TestDatabase.isPooled else { return directConfiguration() }
        let folder = try PrivatePostgres.bouncer.get().folder
        let server = PostgresConfiguration.Server.parts(
            host: folder, port: 6432, user: "postgres", password: "", database: name)
        return PostgresConfiguration(server: server, prepares: false)
    }

    /// The configuration of a direct connection, without PgBouncer: for migrations, and for tests of sessions.
    public func directConfiguration(database: String? = nil, user: String = "postgres") -> PostgresConfiguration {
        PostgresConfiguration(
            server: .parts(
                host: socketDirectory, port: 5432, user: user, password: "", database: database ?? name))
    }

    /// Runs SQL with psql, and returns its output, with standard error.
    @discardableResult
    public func sql(_ text: String) throws -> String {
        try run([
            "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", socketDirectory, "-U", "postgres", name,
            "-c", text,
        ])
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The number of sessions of this database that are in `pg_sleep`.
    public func sleepers() throws -> Int {
        Int(try sql("SELECT count(*) FROM pg_stat_activity WHERE \(TestDatabase.sleeps)")) ?? 0
    }

    /// Terminates the sessions of this database that are in `pg_sleep`.
    /// - Returns: their number.
    @discardableResult
    public func terminateSleepers() throws -> Int {
        Int(try sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE \(TestDatabase.sleeps)")) ?? 0
    }

    private static let sleeps = "datname = current_database() AND wait_event = 'PgSleep'"
}
