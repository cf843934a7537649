import Testing

@testable import Postgres

@Suite struct HostsTests {
    private func values(_ server: PostgresConfiguration.Server) -> [String: String] {
        Dictionary(PostgresConfiguration(server: server).parameters.map { ($0.keyword, $0.value) }) { $1 }
    }

    private func parts(_ host: String) -> PostgresConfiguration.Server {
        .parts(host: host, port: 5432, user: "app", password: "", database: "x")
    }

    @Test(arguments: [
        ("localhost", ["localhost 5432"]), ("a:5433", ["a 5433"]), ("a,b:5433", ["a 5432", "b 5433"]),
        ("::1", ["::1 5432"]), ("[::1]", ["::1 5432"]), ("[::1]:5433,[fe80::1]", ["::1 5433", "fe80::1 5432"]),
        ("/run/postgresql,/tmp/a:b", ["/run/postgresql 5432", "/tmp/a:b 5432"]),
    ])
    func `hosts have ports of their own, or the common one`(text: String, hosts: [String]) {
        #expect(Hosts(text, port: 5432)?.all.map { "\($0.name) \($0.port)" } == hosts)
    }

    @Test(arguments: ["", ",", "a,", "a:,b", "a:0", "a:65536", "a:x", "[]:1", "a,:5432"])
    func `a host without a name, or with a port that is none, is refused`(text: String) {
        #expect(Hosts(text, port: 5432) == nil && !PostgresConfiguration.Server.areHosts(text))
    }

    @Test(arguments: ["postgres://app@a:5432,b:5433/x", "host=a,b port=5432,5433 user=app dbname=x"])
    func `of several hosts, the one that takes changes is looked for, each first in its turn`(url: String) throws {
        for server in [try PostgresConfiguration.Server(connectionString: url), parts("a,b:5433")] {
            #expect(values(server)["target_session_attrs"] == "read-write")
            // 2^-100 is how often a hundred orders are all the same.
            let orders = (0..<100).map { _ in
                let values = values(server)
                return "\(values["host"] ?? "") \(values["port"] ?? "")"
            }
            #expect(Set(orders) == ["a,b 5432,5433", "b,a 5433,5432"])
        }
    }

    @Test func `one host is asked as it is`() throws {
        #expect(values(parts("a"))["target_session_attrs"] == nil && values(parts("a"))["port"] == "5432")
        let url = values(try .init(connectionString: "postgres://app@a/x"))
        #expect(url["target_session_attrs"] == nil && url["host"] == nil)
    }
}
