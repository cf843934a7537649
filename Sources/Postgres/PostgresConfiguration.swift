/// The configuration of a connection pool: the server, the credentials, the limits and the timeouts.
public struct PostgresConfiguration: Sendable {
    /// The address of the server, the credentials and the database. If several hosts are listed, each new connection
    /// searches for the primary among them (`target_session_attrs=read-write`).
    public enum Server: Sendable {
        /// A connection string in libpq's syntax, a URI or `keyword=value` pairs (Postgres manual, section 34.1.1),
        /// which `init(connectionString:)` validates.
        case url(String)
        /// Individual parameters. `host` is one host or a comma-separated list, in which each host may have its own
        /// port; a host that begins with a slash is the directory of a Unix domain socket, and an empty one is
        /// libpq's default. If the password is empty, libpq uses `PGPASSWORD` or the password file.
        case parts(host: String, port: UInt16, user: String, password: String, database: String)
    }

    /// A role and its password.
    public struct Login: Sendable {
        /// The name of the role.
        public var role: String
        /// The password. If it is empty, libpq uses `PGPASSWORD` or the password file.
        public var password: String

        /// Creates a login.
        public init(role: String, password: String) { (self.role, self.password) = (role, password) }

        fileprivate var parameters: [(keyword: String, value: String)] { [("user", role), ("password", password)] }
    }

    /// The server.
    public var server: Server
    /// The name of a database that overrides the database in `server`; `nil` for no override.
    public var database: String?
    /// The credentials that override the credentials in `server`; `nil` for no override.
    public var login: Login?
    /// The maximum number of connections of the pool. Each event loop has its own pool.
    public var connections: Int
    /// Whether the pool never leases all connections at the same time, so that one is always available for reads. A
    /// pool of one connection ignores this setting.
    public var keepsOneForReads = true
    /// The server-side `statement_timeout`. The client waits half a second longer for the result.
    public var statementTimeout: Duration
    /// The maximum time that a request waits for a connection of the pool.
    public var acquireTimeout: Duration
    /// The application name, as shown in `pg_stat_activity`.
    public var applicationName: String
    /// Whether statements are prepared, and session settings sent. PgBouncer in transaction pooling mode needs `false`;
    /// the session settings then have to be set for the role (`ALTER ROLE … SET statement_timeout = '2s'`).
    public var prepares: Bool
    /// The duration from which a statement is logged as slow.
    public var slowStatement: Duration
    /// The hosts of the replicas that serve reads, in the format of `host` in `Server.parts`; `nil` if there are no
    /// replicas. All other parameters are those of `server`.
    public var replicaHosts: String?
    /// The maximum replication lag at which a replica still serves reads.
    public var maximumLag = Duration.seconds(10)
    /// The replica that this configuration is for; `nil` for the primary's configuration.
    var replica: Hosts.Host?

    /// Creates a configuration. The defaults are 2 connections, a statement timeout of 2 s, an acquire timeout of 1 s,
    /// and 500 ms as the duration from which a statement is slow.
    public init(
        server: Server, connections: Int = 2, statementTimeout: Duration = .seconds(2),
        acquireTimeout: Duration = .seconds(1), applicationName: String = "aktify", prepares: Bool = true,
        slowStatement: Duration = .milliseconds(500)
    ) {
        self.server = server
        self.connections = connections
        self.statementTimeout = statementTimeout
        self.acquireTimeout = acquireTimeout
        self.applicationName = applicationName
        self.prepares = prepares
        self.slowStatement = slowStatement
    }

    /// The client-side time limit for a statement. It is longer than the server-side one, so that the latter takes
    /// effect first.
    var deadline: Duration { statementTimeout + .milliseconds(500) }

    /// libpq's connection parameters (keywords and values) for each server to try. If a keyword is repeated, libpq uses
    /// the last value.
    var candidates: [[(keyword: String, value: String)]] {
        let hosts = server.hosts
        func withAddress(of host: Hosts.Host) -> [(keyword: String, value: String)] {
            parameters + [("host", host.name), ("port", host.port)]
        }
        if let replica { return [withAddress(of: replica) + [("target_session_attrs", "any")]] }
        // The connection string of a single server contains its host and port itself.
        if case .url = server, !hosts.areMultiple { return [parameters] }
        return hosts.all.map(withAddress(of:))
    }

    /// The connection parameters that are the same for all servers. The parameters of a connection string come after
    /// the defaults, and so take precedence over them.
    private var parameters: [(keyword: String, value: String)] {
        let common =
            [
                ("connect_timeout", "3"), ("keepalives_idle", "30"), ("keepalives_interval", "5"),
                ("keepalives_count", "3"), ("tcp_user_timeout", "10000"), ("client_encoding", "UTF8"),
                ("gssencmode", "disable"), ("fallback_application_name", applicationName),
            ] + (prepares ? [("options", options)] : [])
            + (hasSeveralServers ? [("target_session_attrs", "read-write")] : [])
        // The first dbname may be a connection string; a later one is the name of a database, and takes precedence
        // (Postgres manual, section 34.1).
        let override = database.map { [("dbname", $0)] } ?? []
        switch server {
        case .url(let url):
            guard let login else { return common + [("dbname", url)] + override }
            // The password of the connection string is not the one of `login`, even if `login` has none.
            let parameters = (try? ConnectionString(url))?.parametersForOtherRole ?? [("dbname", url)]
            return common + parameters + override + login.parameters
        case .parts(_, _, let user, let password, let database):
            let login = login ?? Login(role: user, password: password)
            return common + login.parameters + [("dbname", database)] + override
        }
    }

    /// The name of the role that connects; `nil` if none is specified, in which case libpq uses `PGUSER` or the name of
    /// the operating system's user.
    public var role: String? {
        if let login { return login.role }
        switch server {
        case .url(let url): return (try? ConnectionString(url))?.user
        case .parts(_, _, let user, _, _): return user
        }
    }

    /// Whether more than one server is specified, among which a connection attempt has to find the primary.
    package var hasSeveralServers: Bool { server.hosts.areMultiple || server.hasMultipleAddresses }

    /// The configuration of each replica. The number of connections is limited to two, because reads share connections.
    var replicas: [PostgresConfiguration] {
        guard let text = replicaHosts, let hosts = Hosts(text, port: server.port) else { return [] }
        // Duplicates are removed: an unreachable replica would be tried twice.
        var seen: Set<Hosts.Host> = []
        return hosts.all.filter { seen.insert($0).inserted }.map { host in
            var configuration = self
            (configuration.replica, configuration.replicaHosts) = (host, nil)
            configuration.connections = min(2, connections)
            configuration.keepsOneForReads = false
            return configuration
        }
    }

    /// The configuration of the connection that polls a replica's replay position. Its timeouts are such that a replica
    /// that does not respond within a second serves no reads.
    var forPolling: PostgresConfiguration {
        var configuration = self
        configuration.statementTimeout = .milliseconds(500)
        return configuration
    }

    /// The session settings, which are sent in the startup message, so that setting them needs no round trip.
    private var options: String {
        let timeout =
            statementTimeout.components.seconds * 1000 + statementTimeout.components.attoseconds / 1_000_000_000_000_000
        return "-c statement_timeout=\(timeout) -c idle_in_transaction_session_timeout=\(timeout * 2)"
            + " -c client_connection_check_interval=1000"
    }

    /// The configuration of the pool for streams: at most four connections, and an acquire timeout of 2 s. Each stream
    /// has exclusive use of a connection, and a slow client may occupy the connection for a long time.
    package var forStreams: PostgresConfiguration {
        var configuration = self
        configuration.connections = 4
        configuration.keepsOneForReads = false
        configuration.acquireTimeout = .seconds(2)
        return configuration
    }
}
