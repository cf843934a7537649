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

    /// The folder of the socket of a PgBouncer in front of it; it is started when this is first asked for.
    static let bouncer: Swift.Result<(folder: String, process: Child), any Error> = Swift.Result {
        let folder = "/tmp/aktify-bouncer-\(getpid())"
        let command = ["scripts/pgbouncer", folder, try socketDirectory.get(), String(getpid())]
        let process = try Child(command, output: "/dev/null")
        for _ in 0..<500 where !FileManager.default.fileExists(atPath: "\(folder)/.s.PGSQL.6432") { usleep(10_000) }
        return (folder, process)
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
        let (configuration, statement) = (directConfiguration(database: "postgres"), "CREATE DATABASE \(name)")
        _ = try Loop.run { try await Connection.open(configuration).script(statement) }
    }

    /// The variables by which a worker finds it, directly.
    public var environment: [String: String] {
        [
            "POSTGRES_HOST": socketDirectory, "POSTGRES_DB": name, "POSTGRES_USER": "postgres", "POSTGRES_PORT": "5432",
            "POSTGRES_PASSWORD": "", "DATABASE_URL": "",
        ]
    }

    /// The role that owns the schema, once `makeRoles` has made it: a name of this database's own, since roles are the cluster's.
    public var owner: String { "owner_\(name)" }

    /// The role that serves.
    public var app: String { "app_\(name)" }

    /// Makes the two roles, and the database the owner's, as `scripts/database-roles` does it.
    public func makeRoles() throws {
        let variables = ["PGHOST": socketDirectory, "PGUSER": "postgres", "OWNER": owner, "APP": app]
        try run(["scripts/database-roles", name], environment: variables)
    }

    /// The variables by which a master finds it, with a role for the schema and one that serves.
    public var environmentOfRoles: [String: String] {
        environment.merging(["POSTGRES_USER": app, "POSTGRES_OWNER": owner, "POSTGRES_OWNER_PASSWORD": "s3cret"]) { $1 }
    }

    /// Whether the tests reach Postgres through a PgBouncer that pools transactions: `make test-pgbouncer`.
    public static let isPooled = ProcessInfo.processInfo.environment["TEST_PGBOUNCER"] == "1"

    /// The configuration by which a pool finds it.
    /// - Throws: when there should be a PgBouncer, and it does not start.
    public func configuration() throws -> PostgresConfiguration {
        guard TestDatabase.isPooled else { return directConfiguration() }
        let folder = try PrivatePostgres.bouncer.get().folder
        let server = PostgresConfiguration.Server.parts(
            host: folder, port: 6432, user: "postgres", password: "", database: name)
        return PostgresConfiguration(server: server, prepares: false)
    }

    /// The configuration by which a session of its own is had: for migrations, and for tests of sessions.
    public func directConfiguration(database: String? = nil, user: String = "postgres") -> PostgresConfiguration {
        PostgresConfiguration(
            server: .parts(
                host: socketDirectory, port: 5432, user: user, password: "", database: database ?? name))
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

    /// How many of its sessions are in `pg_sleep`; those of other tests' databases are none of it.
    public func sleepers() throws -> Int {
        Int(try sql("SELECT count(*) FROM pg_stat_activity WHERE \(TestDatabase.sleeps)")) ?? 0
    }

    /// Ends its sessions that are in `pg_sleep`.
    /// - Returns: how many there were.
    @discardableResult
    public func terminateSleepers() throws -> Int {
        Int(try sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE \(TestDatabase.sleeps)")) ?? 0
    }

    private static let sleeps = "datname = current_database() AND wait_event = 'PgSleep'"
}
