import Authentication
import ORM
import Web

/// The configuration, read from the environment once.
///
/// docs/configuration.md lists the variables with their defaults; a test compares that list with the names and defaults
/// in this file. A secret can also be read from a file: `POSTGRES_PASSWORD_FILE`, for example, is the path of a file
/// that contains the value of `POSTGRES_PASSWORD`, as with Docker's secrets.
public struct Config: Sendable {
    /// The database server, and the settings of its connections.
    public var database: DatabaseConfiguration
    /// The login of the role that owns the schema; `nil` when the role that serves requests owns the schema.
    public var owner: DatabaseLogin?
    /// The origins that may read responses.
    public var cors: CORS
    /// The maximum size of a request body, in bytes.
    public var maxBodyBytes: Int
    /// The request timeout, after which the response is 504.
    public var requestTimeout: Duration
    /// How long a worker's event loop may be blocked before the master replaces the worker.
    public var stuckAfter: Duration
    /// The minimum duration of a request that is logged as slow.
    public var slowRequest: Duration
    /// Whether every request is logged when it ends.
    public var logsRequests: Bool
    /// Whether all SQL statements are logged, grouped by request.
    public var logsQueries: Bool
    /// Whether this is a development environment. There, responses have the header field `Server-Timing`, and clients
    /// do not authenticate unless `AUTH` is set.
    public var isDevelopment: Bool
    /// How clients authenticate; `nil` in production when `AUTH` is not set.
    public var authentication: Authentication?
    /// The identity provider whose tokens are accepted; `nil` unless `authentication` is `.jwt`.
    public var identityProvider: IdentityProvider?
    /// Whether pending revisions of the schema are applied before the first request.
    public var migratesOnStart: Bool
    /// The schema revisions that the readiness check compares with the database; `nil` skips the comparison. No
    /// environment variable sets this property: the commands that serve requests set it from the migration scripts.
    public var schema: SchemaCheck?
    /// The minimum level of log entries.
    public var logLevel: String

    /// Reads the configuration from environment variables.
    /// - Parameters:
    ///   - variables: the variables by name.
    ///   - readFile: returns the contents of a file, such as a secret; `nil` when the file cannot be read.
    /// - Throws: `ConfigError` for the first invalid variable.
    public init(environment variables: [String: String], readFile: @escaping (String) -> String?) throws(ConfigError) {
        let read = EnvironmentReader(variables: variables, readFile: readFile)
        database = DatabaseConfiguration(
            server: try Config.server(read),
            connections: try read.integer(
                "POSTGRES_CONNECTIONS", default: Config.connections(workers: 1), in: 1...100),
            statementTimeout: .milliseconds(try read.integer("STATEMENT_TIMEOUT_MS", default: 2000, in: 1...600_000)),
            prepares: try read.bool("POSTGRES_PREPARE", default: true),
            slowStatement: .milliseconds(try read.integer("SLOW_QUERY_MS", default: 500, in: 0...600_000)))
        database.replicaHosts = try Config.hosts(read, "POSTGRES_READ_HOST")
        if database.replicaHosts != nil, database.server.hasAddresses {
            throw ConfigError(
                "DATABASE_URL", "has hostaddr, which cannot be combined with POSTGRES_READ_HOST: use host")
        }
        database.maximumLag = .milliseconds(
            try read.integer("POSTGRES_READ_MAX_LAG_MS", default: 10_000, in: 100...3_600_000))
        owner = try Config.owner(read)
        cors = try Config.cors(read.text("CORS_ALLOW_ORIGINS", default: "*"))
        maxBodyBytes = try read.integer("MAX_BODY_BYTES", default: 1 << 20, in: 0...(1 << 30))
        requestTimeout = .milliseconds(try read.integer("REQUEST_TIMEOUT_MS", default: 25_000, in: 1...3_600_000))
        stuckAfter = .milliseconds(try read.integer("STUCK_AFTER_MS", default: 25_000, in: 1000...3_600_000))
        slowRequest = .milliseconds(try read.integer("SLOW_REQUEST_MS", default: 1000, in: 1...3_600_000))
        logsRequests = try read.bool("LOG_REQUESTS", default: false)
        migratesOnStart = try read.bool("MIGRATE_ON_START", default: false)
        logsQueries = try read.bool("LOG_QUERIES", default: false)
        isDevelopment =
            try read.choice("APP_ENV", of: ["production", "development"], default: "production") != "production"
        authentication = try Config.authentication(read, isDevelopment: isDevelopment)
        identityProvider = authentication == .jwt ? try Config.identityProvider(read) : nil
        logLevel = try read.choice("LOG_LEVEL", of: Config.logLevels, default: "info")
    }

    /// The database configuration with the login of the role that owns the schema; the same as `database` when `owner`
    /// is `nil`.
    public var ownersDatabase: DatabaseConfiguration {
        var database = database
        if let owner { database.login = owner }
        return database
    }

    /// Returns the variables without the login of the role that owns the schema, which workers must not know.
    public static func withoutOwner(_ variables: [String: String]) -> [String: String] {
        variables.filter { !$0.key.hasPrefix("POSTGRES_OWNER") }
    }

    private static func owner(_ read: EnvironmentReader) throws(ConfigError) -> DatabaseLogin? {
        let role = read.text("POSTGRES_OWNER", default: "")
        let password = try read.secret("POSTGRES_OWNER_PASSWORD")
        guard !role.isEmpty else {
            guard password == nil else {
                throw ConfigError("POSTGRES_OWNER", "is not set, but POSTGRES_OWNER_PASSWORD is")
            }
            return nil
        }
        return DatabaseLogin(role: role, password: password ?? "")
    }

    /// A method by which clients authenticate.
    public enum Authentication: String, CaseIterable, Sendable {
        /// Clients do not authenticate; every client may do everything.
        case off
        /// Clients authenticate with API keys.
        case keys
        /// Clients authenticate with tokens of an identity provider (JSON Web Token, RFC 7519).
        case jwt
    }

    private static func authentication(
        _ read: EnvironmentReader, isDevelopment: Bool
    ) throws(ConfigError) -> Authentication? {
        let choices = Authentication.allCases.map(\.rawValue)
        let text = try read.choice("AUTH", of: choices, default: isDevelopment ? "off" : "")
        return Authentication(rawValue: text)
    }

    /// Checks that authentication is configured explicitly in production, so that the API is not open by mistake.
    /// - Throws: `ConfigError` when `AUTH` is not set in production.
    public func requireAuthentication() throws(ConfigError) {
        guard authentication == nil else { return }
        throw ConfigError(
            "AUTH",
            "is not set: use keys, and create one with aktify key create, or off, which lets every client do everything"
        )
    }

    /// Returns the default size of each worker's connection pool: an equal share of 48 connections, but at least 2 and
    /// at most 8. The total is limited because a reload briefly doubles the number of connections, and Postgres accepts
    /// 100 by default. Several connections per pool let Postgres flush concurrent commits to disk together.
    public static func connections(workers: Int) -> Int { min(8, max(2, 48 / workers)) }

    private static let logLevels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]

    private static func server(_ read: EnvironmentReader) throws(ConfigError) -> DatabaseConfiguration.Server {
        if let url = try read.secret("DATABASE_URL") {
            do { return try .init(connectionString: url) } catch { throw ConfigError("DATABASE_URL", "\(error)") }
        }
        return .parts(
            host: try hosts(read, "POSTGRES_HOST") ?? "localhost",
            port: UInt16(try read.integer("POSTGRES_PORT", default: 5432, in: 1...65_535)),
            user: read.text("POSTGRES_USER", default: "postgres"),
            password: try read.secret("POSTGRES_PASSWORD") ?? "",
            database: read.text("POSTGRES_DB", default: "aktify"))
    }

    /// Reads a host, or a comma-separated list of hosts; returns `nil` when the variable is not set.
    private static func hosts(_ read: EnvironmentReader, _ name: String) throws(ConfigError) -> String? {
        let text = read.text(name, default: "")
        guard text.isEmpty || DatabaseConfiguration.Server.areHosts(text) else {
            throw ConfigError(
                name, is: text, expected: "a host, or a comma-separated list of hosts, with or without ports: a,b:5433")
        }
        return text.isEmpty ? nil : text
    }

    private static func cors(_ text: String) throws(ConfigError) -> CORS {
        if text == "*" { return .anyOrigin }
        let origins = text.split(separator: ",").map(\.trimmed)
        for origin in origins where !origin.contains(/^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[a-zA-Z0-9._:\[\]-]+$/) {
            throw ConfigError(
                "CORS_ALLOW_ORIGINS", is: origin,
                expected: "*, or a comma-separated list of origins like https://example.org")
        }
        return .origins(Set(origins))
    }
}
