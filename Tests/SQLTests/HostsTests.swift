import Testing

@testable import Postgres

@Suite struct HostsTests {
    /// The connection parameters that libpq gets for each host to try.
    private func values(_ server: PostgresConfiguration.Server) -> [[String: String]] {
        PostgresConfiguration(server: server).values
    }

    private func parts(_ host: String) -> PostgresConfiguration.Server {
        .parts(host: host, port: 5432, user: "app", password: "", database: "x")
    }

    @Test(arguments: [
        ("localhost", ["localhost 5432"]), ("a:5433", ["a 5433"]), ("a,b:5433", ["a 5432", "b 5433"]),
        (" a , b:5433 ", ["a 5432", "b 5433"]),
        ("::1", ["::1 5432"]), ("[::1]", ["::1 5432"]), ("[::1]:5433,[fe80::1]", ["::1 5433", "fe80::1 5432"]),
        ("/run/postgresql,/tmp/a:b", ["/run/postgresql 5432", "/tmp/a:b 5432"]),
    ])
    func `a host has its own port or the default one`(text: String, hosts: [String]) {
        #expect(Hosts(text, port: 5432)?.all.map { "\($0.name) \($0.port)" } == hosts)
    }

    @Test(arguments: ["", ",", "a,", "a:,b", "a:0", "a:65536", "a:x", "[]:1", "a,:5432"])
    func `a host without a name or with an invalid port is rejected`(text: String) {
        #expect(Hosts(text, port: 5432) == nil && !PostgresConfiguration.Server.areHosts(text))
    }

    @Test(arguments: ["postgres://app@a:5432,b:5433/x", "host=a,b port=5432,5433 user=app dbname=x"])
    func `with several hosts, each connection requires the primary`(url: String) throws {
        for server in [try PostgresConfiguration.Server(connectionString: url), parts("a,b:5433")] {
            let values = values(server)
            #expect(values.map { $0["host"] } == ["a", "b"] && values.map { $0["port"] } == ["5432", "5433"])
            #expect(values.allSatisfy { $0["target_session_attrs"] == "read-write" })
        }
    }

    @Test(arguments: [
        ("postgres://app@a,b:5433/x", ["5432", "5433"]), ("postgres://app@a:5433,b/x", ["5433", "5432"]),
        ("postgres://app@a,b/x", ["5432", "5432"]), ("host=a,b port=5433", ["5433", "5433"]),
        ("host=a,b", ["5432", "5432"]),
    ])
    func `a host of a connection string without a port has the default one, unless there is one port for all`(
        url: String, ports: [String]
    ) throws {
        var configuration = PostgresConfiguration(server: try .init(connectionString: url))
        #expect(configuration.values.map { $0["port"] } == ports)
        configuration.replicaHosts = "c"
        #expect(configuration.replicas.flatMap(\.values).map { $0["port"] } == [ports[0]])
    }

    @Test func `an empty host is libpq's default`() {
        let values = values(parts(""))
        #expect(values.count == 1 && values.first?["host"] == "" && values.first?["port"] == "5432")
    }

    @Test func `a single host is used without requiring the primary`() throws {
        let values = values(parts("a"))
        #expect(values.count == 1 && values[0]["target_session_attrs"] == nil)
        #expect(values[0]["host"] == "a" && values[0]["port"] == "5432")
        let url = self.values(try .init(connectionString: "postgres://app@a/x"))
        #expect(url.count == 1 && url[0]["target_session_attrs"] == nil && url[0]["host"] == nil)
    }

    @Test(arguments: [
        "postgres://app@a:5433,b/x", "host=a,b port=5433 user=app target_session_attrs=primary",
    ])
    func `a replica has the primary's parameters, but any role is accepted`(url: String) throws {
        var configuration = PostgresConfiguration(server: try .init(connectionString: url))
        configuration.replicaHosts = "c,d:5434"
        let values = configuration.replicas.flatMap(\.values)
        #expect(values.map { $0["host"] } == ["c", "d"] && values.map { $0["port"] } == ["5433", "5434"])
        #expect(
            values.allSatisfy { $0["target_session_attrs"] == "any" && $0["dbname"] == url })
    }
}

extension PostgresConfiguration {
    fileprivate var values: [[String: String]] {
        candidates.map { Dictionary($0.map { ($0.keyword, $0.value) }) { $1 } }
    }
}
