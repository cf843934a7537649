import Authentication
import ORM
import Web

/// The configuration, read from the environment once.
///
/// docs/configuration.md lists the variables with their defaults; a test compares it with the names and defaults in this file. A
/// variable that ends in `_FILE` names a file that contains the value, as Docker's secrets do.
public struct Config: Sendable {
    /// Where Postgres is, and how it is used.
    public var database: DatabaseConfiguration
    /// The role that owns the schema; `nil` when it is the one that serves.
    public var owner: DatabaseLogin?
    /// Which pages of other origins may use the API.
    public var cors: CORS
    /// The largest body of a request, in bytes.
    public var maxBodyBytes: Int
    /// How long an answer may take.
    public var requestTimeout: Duration
    /// How long a worker's loop may stand still before the worker is replaced.
    public var stuckAfter: Duration
    /// How long an answer takes before it is logged as slow.
    public var slowRequest: Duration
    /// Whether each request is logged when it ends.
    public var logsRequests: Bool
    /// Whether all statements are logged, grouped by request.
    public var logsQueries: Bool
    /// Whether responses say what they cost.
    public var isDevelopment: Bool
    /// How clients authenticate; `nil` when it is not set, in production.
    public var authentication: Authentication?
    /// Whose tokens are taken; `nil` unless clients authenticate by them.
    public var identityProvider: IdentityProvider?
    /// Whether pending revisions are applied before the first request.
    public var migratesOnStart: Bool
    /// What the schema must be like for the application to be ready; `nil` when nobody has said. No variable: whoever serves knows
    /// the revisions.
    public var schema: SchemaCheck?
    /// The least level that is logged.
    public var logLevel: String

    /// Reads the environment.
    /// - Parameters:
    ///   - variables: names and values.
    ///   - readFile: how a secret's file is read; `nil` when it cannot be.
    /// - Throws: `ConfigError` at the first variable that is malformed, in one line.
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
            throw ConfigError("DATABASE_URL", "has hostaddr, which POSTGRES_READ_HOST cannot be used with: say host")
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

    /// The database as the role that owns the schema finds it.
    public var ownersDatabase: DatabaseConfiguration {
        var database = database
        if let owner { database.login = owner }
        return database
    }

    /// The variables without what only the owner's commands, and a master, may know.
    public static func withoutOwner(_ variables: [String: String]) -> [String: String] {
        variables.filter { !$0.key.hasPrefix("POSTGRES_OWNER") }
    }

    private static func owner(_ read: EnvironmentReader) throws(ConfigError) -> DatabaseLogin? {
        let role = read.text("POSTGRES_OWNER", default: "")
        let password = try read.secret("POSTGRES_OWNER_PASSWORD")
        guard !role.isEmpty else {
            guard password == nil else { throw ConfigError("POSTGRES_OWNER", "is not set, and its password is") }
            return nil
        }
        return DatabaseLogin(role: role, password: password ?? "")
    }

    /// How clients authenticate.
    public enum Authentication: String, CaseIterable, Sendable {
        /// Not at all: everybody may do everything.
        case off
        /// By API keys.
        case keys
        /// By tokens of an identity provider (JSON Web Token, RFC 7519).
        case jwt
    }

    private static func authentication(
        _ read: EnvironmentReader, isDevelopment: Bool
    ) throws(ConfigError) -> Authentication? {
        let choices = Authentication.allCases.map(\.rawValue)
        let text = try read.choice("AUTH", of: choices, default: isDevelopment ? "off" : "")
        return Authentication(rawValue: text)
    }

    /// Refuses to serve everybody in production when nobody has decided that.
    /// - Throws: `ConfigError` when `AUTH` is not set in production.
    public func requireAuthentication() throws(ConfigError) {
        guard authentication == nil else { return }
        throw ConfigError(
            "AUTH",
            "is not set: say keys, and make one with aktify key create; or off, which lets everybody do everything")
    }

    /// How many connections each of some workers has when nobody says so: 2 to 8, and 48 of all of them where that leaves 2. Each
    /// but one can wait for a commit of its own, and Postgres writes those that come together to disk at once. A reload has
    /// twice as many for a moment, and Postgres's own limit is 100.
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

    /// Reads one host or several; `nil` when the variable is not set.
    private static func hosts(_ read: EnvironmentReader, _ name: String) throws(ConfigError) -> String? {
        let text = read.text(name, default: "")
        guard text.isEmpty || DatabaseConfiguration.Server.areHosts(text) else {
            throw ConfigError(
                name, is: text, expected: "a host, or several with commas between, with or without ports: a,b:5433")
        }
        return text.isEmpty ? nil : text
    }

    private static func cors(_ text: String) throws(ConfigError) -> CORS {
        if text == "*" { return .anyOrigin }
        let origins = text.split(separator: ",").map(\.trimmed)
        for origin in origins where !origin.contains(/^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[a-zA-Z0-9._:\[\]-]+$/) {
            throw ConfigError(
                "CORS_ALLOW_ORIGINS", is: origin, expected: "* or origins like https://example.org with commas between")
        }
        return .origins(Set(origins))
    }
}
