/// Where Postgres is, and how it is used.
public struct PostgresConfiguration: Sendable {
    /// Where Postgres is, and who asks. Of several hosts, each new connection looks for the one that takes changes
    /// (`target_session_attrs=read-write`).
    public enum Server: Sendable {
        /// A connection string or URI, as libpq reads it (Postgres manual, chapter 34.1.1).
        /// `init(connectionString:)` checks it.
        case url(String)
        /// The parts of one. A host that begins with a slash is a Unix socket's directory; an empty password is none. There may be
        /// several hosts with commas between, each with a port of its own or without.
        case parts(host: String, port: UInt16, user: String, password: String, database: String)
    }

    /// A role, and its password; an empty one is none.
    public struct Login: Sendable {
        public var role: String
        public var password: String

        /// Makes a login.
        public init(role: String, password: String) { (self.role, self.password) = (role, password) }

        fileprivate var parameters: [(keyword: String, value: String)] { [("user", role), ("password", password)] }
    }

    /// Where Postgres is.
    public var server: Server
    /// Another database on it than `server` says.
    public var database: String?
    /// Another role than `server` says.
    public var login: Login?
    /// Connections of one loop, at most.
    public var connections: Int
    /// Whether one of them, when there are two or more, is never leased, so that reads always have one.
    public var keepsOneForReads = true
    /// How long Postgres works on a statement before it gives up; a client waits half a second longer for its answer.
    public var statementTimeout: Duration
    /// How long a request waits for a connection that is free.
    public var acquireTimeout: Duration
    /// What pg_stat_activity shows.
    public var applicationName: String
    /// Whether statements are prepared. A PgBouncer that pools transactions needs `false`: it then also gets no settings of
    /// the session, which belong to the role there (`ALTER ROLE … SET statement_timeout = '2s'`).
    public var prepares: Bool
    /// How long a statement may take before it is logged as slow.
    public var slowStatement: Duration
    /// Hosts of replicas that reads may go to, as `Server.parts` takes them; all else is as `server` has it. `nil` when there are none.
    public var replicaHosts: String?
    /// The greatest replication lag of a replica that is read from.
    public var maximumLag = Duration.seconds(10)
    /// The replica that this is the configuration of.
    var replica: Hosts.Host?

    /// Makes a configuration; the defaults are 2 connections, 2 s for a statement, 1 s for a connection, and 500 ms
    /// for a statement that is not slow.
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

    /// How long a statement may take as the client sees it: the server's own limit comes first.
    var deadline: Duration { statementTimeout + .milliseconds(500) }

    /// libpq's keywords and values for each server that may be the one; of a keyword that comes twice, libpq takes the last value.
    var candidates: [[(keyword: String, value: String)]] {
        let hosts = server.hosts
        func here(_ host: Hosts.Host) -> [(keyword: String, value: String)] {
            parameters + [("host", host.name), ("port", host.port)]
        }
        if let replica { return [here(replica) + [("target_session_attrs", "any")]] }
        // A URL of one server says itself where that is.
        if case .url = server, !hosts.areMany { return [parameters] }
        return hosts.all.map(here)
    }

    /// What is the same for all servers; what a URL says comes after our own, and wins.
    private var parameters: [(keyword: String, value: String)] {
        let own =
            [
                ("connect_timeout", "3"), ("keepalives_idle", "30"), ("keepalives_interval", "5"),
                ("keepalives_count", "3"), ("tcp_user_timeout", "10000"), ("client_encoding", "UTF8"),
                ("gssencmode", "disable"), ("fallback_application_name", applicationName),
            ] + (prepares ? [("options", options)] : [])
            + (hasSeveralServers ? [("target_session_attrs", "read-write")] : [])
        // The first dbname may be a URL; a later one is a database's name, and wins (Postgres manual, chapter 34.1).
        let other = database.map { [("dbname", $0)] } ?? []
        switch server {
        case .url(let url): return own + [("dbname", url)] + other + (login?.parameters ?? [])
        case .parts(_, _, let user, let password, let database):
            let login = login ?? Login(role: user, password: password)
            return own + login.parameters + [("dbname", database)] + other
        }
    }

    /// The role that connects; `nil` when nobody says it, and libpq takes the name of the operating system's user.
    public var role: String? {
        if let login { return login.role }
        switch server {
        case .url(let url): return (try? ConnectionString(url))?.user
        case .parts(_, _, let user, _, _): return user
        }
    }

    /// Whether it names several servers, one of which is the primary.
    package var hasSeveralServers: Bool { server.hosts.areMany || server.hasSeveralAddresses }

    /// Each replica's, with two connections at most, since reads share them.
    var replicas: [PostgresConfiguration] {
        guard let text = replicaHosts, let hosts = Hosts(text, port: server.port) else { return [] }
        // One that is named twice would be tried twice when it is gone.
        var seen: Set<Hosts.Host> = []
        return hosts.all.filter { seen.insert($0).inserted }.map { host in
            var configuration = self
            (configuration.replica, configuration.replicaHosts) = (host, nil)
            configuration.connections = min(2, connections)
            configuration.keepsOneForReads = false
            return configuration
        }
    }

    /// For the connection that polls a replica's replay position: one that does not answer within a second is not read from.
    var forPolling: PostgresConfiguration {
        var configuration = self
        configuration.statementTimeout = .milliseconds(500)
        return configuration
    }

    /// Settings of the session, sent with the connection's first message: no round trip of their own.
    private var options: String {
        let timeout =
            statementTimeout.components.seconds * 1000 + statementTimeout.components.attoseconds / 1_000_000_000_000_000
        return "-c statement_timeout=\(timeout) -c idle_in_transaction_session_timeout=\(timeout * 2) -c timezone=UTC"
            + " -c client_connection_check_interval=1000"
    }

    /// For the connections that streams have for themselves: few, since each may be held by a slow reader, and worth waiting for.
    package var forStreams: PostgresConfiguration {
        var configuration = self
        configuration.connections = 4
        configuration.keepsOneForReads = false
        configuration.acquireTimeout = .seconds(2)
        return configuration
    }
}
