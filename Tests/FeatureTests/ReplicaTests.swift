import Authentication
import EventLoop
import Foundation
import HTTPTypes
import Migrations
import ORM
import Postgres
import TestSupport
import Testing
import Web

@testable import AktifyAPI

/// Reads from replicas, and read-your-writes consistency.
@Suite(.serialized) struct ReplicaTests {
    /// A primary with the application's schema, and its standbys.
    private static func servers(_ count: Int = 1) throws -> ReplicatedPostgres {
        try ReplicatedPostgres(standbys: count) { host in
            let configuration = DatabaseConfiguration(
                server: .parts(host: host, port: 5432, user: "postgres", password: "", database: "postgres"))
            let graph = try ScriptDirectory("\(checkout)/migrations").graph()
            try Loop.run { try await Migrator(graph: graph, configuration: configuration) { _ in }.upgrade() }
        }
    }

    /// Runs `body` with an application that reads from the standbys, after it has connected to all of them.
    private func withApp(
        _ servers: ReplicatedPostgres, maximumLag: Int = 10_000,
        _ body: @escaping @Sendable (TestClient, ReplicatedPostgres, Loop) async throws -> Void
    ) throws {
        try withApp(servers, maximumLag: maximumLag) { client, servers, loop, _ in try await body(client, servers, loop)
        }
    }

    private func withApp(
        _ servers: ReplicatedPostgres, maximumLag: Int = 10_000, user: String = "postgres", primary: String? = nil,
        readHosts: [String]? = nil,
        _ body: @escaping @Sendable (TestClient, ReplicatedPostgres, Loop, Replicas) async throws -> Void
    ) throws {
        let variables = [
            "AUTH": "off", "POSTGRES_HOST": primary ?? servers.primary, "POSTGRES_DB": "postgres",
            "POSTGRES_USER": user,
            "POSTGRES_READ_HOST": (readHosts ?? servers.standbys).joined(separator: ","),
            "POSTGRES_READ_MAX_LAG_MS": String(maximumLag),
        ]
        try Loop.run {
            let loop = try #require(Loop.current)
            let config = try Config(environment: variables, readFile: { _ in nil })
            let database = Database(config.database)
            let replicas = try #require(database.replicas)
            let client = TestClient(try createApp(config, database: database))
            for _ in 0..<100 where readHosts == nil && replicas.statistics.inUse < servers.standbys.count {
                try await loop.sleep(for: .milliseconds(50))
            }
            try await body(client, servers, loop, replicas)
        }
    }

    /// Waits until the standbys have replayed everything, and the event loop's polls have noticed it.
    private static func settle(_ servers: ReplicatedPostgres, _ loop: Loop) async throws {
        try servers.waitUntilReplayed()
        try await loop.sleep(for: .milliseconds(500))
    }

    private static func create(_ client: TestClient, _ name: String) async throws -> (target: String, position: String)
    {
        let answer = try await client.post(
            "/campaigns/", #"{"name": "\#(name)", "description": "d", "is_active": true}"#)
        #expect(answer.status == .created, "\(answer.text)")
        let location = try #require(answer.headers[.location])
        return (
            String(location.dropFirst("http://localhost:5051".count)),
            try #require(answer.headers[.databasePosition])
        )
    }

    @Test func `a client that sends its position reads its own writes, and one that does not may read older data`()
        throws
    {
        try withApp(Self.servers()) { client, servers, loop in
            try servers.sql("SELECT pg_wal_replay_pause()", on: servers.standbys[0])
            let (target, position) = try await Self.create(client, "one")
            #expect(WALPosition(position) != nil && WALPosition(position) != .unknown)
            #expect(try await client.get(target).status == .notFound)
            #expect(try await client.get(target, headers: [.databasePosition: position]).status == .ok)
            #expect(
                try await client.get(target, headers: [.cookie: "a=b; database_position=\(position)"]).status == .ok)
            for list in ["/campaigns/", "/campaigns/?limit=1"] {
                #expect(try await client.get(list).json == [])
                #expect(try await client.get(list, headers: [.databasePosition: position]).json != [])
            }
            // Only the primary has the rows that cannot be read.
            #expect(try await client.get(target, headers: [.databasePosition: "?"]).status == .ok)
            try servers.sql("SELECT pg_wal_replay_resume()", on: servers.standbys[0])
            try await loop.sleep(for: .milliseconds(500))
            #expect(try await client.get(target).status == .ok)
        }
    }

    @Test func `each write returns its WAL position, also a refused one, and browsers store it in a cookie`() throws {
        try withApp(Self.servers()) { client, servers, _ in
            let (target, first) = try await Self.create(client, "one")
            let patch = try await client.send(
                .patch, target, headers: [.contentType: "application/json"], body: Array(#"{"is_active": false}"#.utf8))
            let second = try #require(patch.headers[.databasePosition])
            #expect(first < second)
            let cookie = try #require(patch.headers[.setCookie])
            #expect(cookie == "database_position=\(second); Path=/; Max-Age=60; HttpOnly; SameSite=Lax")
            let refused = try await client.send(.delete, target, headers: [.ifMatch: "\"99\""])
            #expect(refused.status == .preconditionFailed && refused.headers[.databasePosition] != nil)
            #expect(try await client.send(.delete, "/campaigns/?id=999999").headers[.databasePosition] != nil)
            #expect(try await client.get(target).headers[.databasePosition] == nil)
            #expect(try await client.post("/campaigns/", "{}").headers[.databasePosition] == nil)
        }
    }

    @Test func `the position of a write needs no extra round trip`() throws {
        try withApp(Self.servers()) { client, _, _ in
            let recorder = QueryRecorder()
            _ = try await QueryRecorder.$current.withValue(recorder) { try await Self.create(client, "one") }
            #expect(recorder.statements.count == 1)
        }
    }

    @Test func `without a primary, reads continue and writes are refused`() throws {
        try withApp(Self.servers()) { client, servers, loop in
            let (target, position) = try await Self.create(client, "one")
            try await Self.settle(servers, loop)
            try servers.kill(servers.primary, SIGKILL)
            for _ in 0..<30 {
                #expect(try await client.get(target).status == .ok)
                #expect(try await client.get(target, headers: [.databasePosition: position]).status == .ok)
                #expect(try await client.get("/campaigns/").status == .ok)
                #expect(try await client.get("/readyz").status == .ok)
                let change = try await client.send(.delete, target)
                #expect([.serviceUnavailable, .badGateway].contains(change.status))
                // A write that was certainly not executed has no position; after an unknown outcome, only the primary
                // may be read.
                let position = change.headers[.databasePosition].flatMap { WALPosition($0) }
                #expect(position == (change.status == .badGateway ? .unknown : nil))
                try await loop.sleep(for: .milliseconds(20))
            }
        }
    }

    @Test func `while the primary is only busy, a revoked key is not found valid on a replica that lags`() throws {
        let servers = try Self.servers()
        var configuration = DatabaseConfiguration(
            server: .parts(host: servers.primary, port: 5432, user: "postgres", password: "", database: "postgres"),
            connections: 1, acquireTimeout: .milliseconds(200))
        configuration.replicaHosts = servers.standbys[0]
        try Loop.run { [configuration] in
            let loop = try #require(Loop.current)
            let database = Database(configuration)
            let (keys, replicas) = (APIKeys(database), try #require(database.replicas))
            let key = try await keys.create(name: "crm", role: .reader, lifetime: nil, author: "test")
            try servers.waitUntilReplayed()
            for _ in 0..<100 where replicas.statistics.inUse == 0 { try await loop.sleep(for: .milliseconds(50)) }
            #expect(replicas.statistics.inUse == 1)
            try servers.sql("SELECT pg_wal_replay_pause()", on: servers.standbys[0])
            try await keys.revoke(name: "crm")
            try await database.transaction { inner in
                try await inner.execute("SELECT 1")
                // The transaction has the only connection.
                let error = await #expect(throws: DatabaseError.self) { try await keys.find(key) }
                #expect(error?.kind == .busy)
            }
            #expect(try await keys.find(key)?.state == .revoked)
        }
    }

    @Test func `a replica that is lost, frozen or has a recovery conflict causes no errors`() throws {
        try withApp(Self.servers(2)) { client, servers, loop, replicas in
            let (target, position) = try await Self.create(client, "one")
            try await Self.settle(servers, loop)
            let end = Instant.now.advanced(by: .seconds(8))
            let readers = (0..<8).map { reader in
                Task(executorPreference: loop) {
                    var slowest = Duration.zero
                    while Instant.now < end {
                        let start = Instant.now
                        let headers: HeaderFields = reader % 2 == 0 ? [:] : [.databasePosition: position]
                        let answer = try await client.get(reader % 4 < 2 ? target : "/campaigns/", headers: headers)
                        #expect(answer.status == .ok, "\(answer.text)")
                        slowest = max(slowest, Instant.now.duration(since: start))
                        try await loop.sleep(for: .milliseconds(2))
                    }
                    return slowest
                }
            }
            try await loop.sleep(for: .milliseconds(500))
            // Frozen: its processes exist, but do not respond.
            try servers.kill(servers.standbys[0], SIGSTOP, all: true)
            try await loop.sleep(for: .milliseconds(2500))
            try servers.kill(servers.standbys[0], SIGCONT, all: true)
            try await loop.sleep(for: .milliseconds(1500))
            // Both replicas at once.
            try servers.kill(servers.standbys[0], SIGSTOP, all: true)
            try servers.kill(servers.standbys[1], SIGKILL)
            for reader in readers { #expect(try await reader.value < .seconds(4)) }
            #expect(try await client.get(target).status == .ok)
            let statistics = replicas.statistics
            #expect(statistics.configured == 2 && statistics.inUse == 0 && statistics.retries > 0)
            #expect(statistics.reads > statistics.retries)
            try servers.kill(servers.standbys[0], SIGCONT, all: true)
            for _ in 0..<200 where replicas.statistics.inUse == 0 { try await loop.sleep(for: .milliseconds(50)) }
            #expect(replicas.statistics.inUse == 1)
        }
    }

    @Test func `a read that a recovery conflict cancels is sent to the primary`() throws {
        try withApp(Self.servers()) { client, servers, loop in
            _ = try await Self.create(client, "one")
            try await Self.settle(servers, loop)
            // The replay of an exclusive lock conflicts with every read of the table.
            try servers.set("max_standby_streaming_delay", "0", on: servers.standbys[0])
            let locks = Task(executorPreference: loop) {
                for _ in 0..<20 {
                    try servers.sql("BEGIN; LOCK TABLE campaign; SELECT pg_sleep(0.01); COMMIT", on: servers.primary)
                    try await loop.sleep(for: .milliseconds(5))
                }
            }
            for _ in 0..<300 {
                #expect(try await client.get("/campaigns/?limit=10").status == .ok)
                #expect(try await client.get("/campaigns/").status == .ok)
                try await loop.sleep(for: .milliseconds(1))
            }
            try await locks.value
        }
    }

    @Test func `a replica that lags too much or was promoted is not read from`() throws {
        try withApp(Self.servers(), maximumLag: 2000) { client, servers, loop in
            try servers.sql("SELECT pg_wal_replay_pause()", on: servers.standbys[0])
            let (target, _) = try await Self.create(client, "one")
            #expect(try await client.get(target).status == .notFound)
            for _ in 0..<100 where try await client.get(target).status != .ok {
                try await loop.sleep(for: .milliseconds(100))
            }
            #expect(try await client.get(target).status == .ok)
            try servers.sql("SELECT pg_wal_replay_resume()", on: servers.standbys[0])
            try servers.promote()
            try servers.sql("TRUNCATE campaign", on: servers.standbys[0])
            try await loop.sleep(for: .milliseconds(500))
            #expect(try await client.get(target).status == .ok)
        }
    }

    @Test func `all reads of a request go to one server`() throws {
        try withApp(Self.servers(2)) { client, servers, loop in
            _ = try await Self.create(client, "one")
            try await Self.settle(servers, loop)
            try servers.sql("SELECT pg_wal_replay_pause()", on: servers.standbys[0])
            _ = try await Self.create(client, "two")
            try await loop.sleep(for: .milliseconds(300))
            for _ in 0..<20 {
                let answer = try await client.get("/campaigns/?limit=100&count=true")
                guard case .array(let rows) = answer.json else { throw Failed() }
                #expect(answer.headers[.totalCount] == String(rows.count))
            }
        }
    }

    private struct Failed: Error {}

    @Test func `a standby of another cluster is not read from`() throws {
        let other = try ReplicatedPostgres()
        try withApp(Self.servers(), readHosts: other.standbys) { client, _, loop, replicas in
            let (target, position) = try await Self.create(client, "one")
            for _ in 0..<30 {
                #expect(try await client.get(target, headers: [.databasePosition: position]).status == .ok)
                try await loop.sleep(for: .milliseconds(20))
            }
            #expect(replicas.statistics.inUse == 0)
        }
        withExtendedLifetime(other) {}
    }

    @Test func `of two servers behind one host name, only the polled one is read from`() throws {
        let servers = try Self.servers(2)
        let folder = try Folder()
        let standbys = servers.standbys
        /// Makes `folder`, which is the host name of the application's only replica, lead to the standby `host`, by
        /// a symbolic link to the socket of the standby.
        @Sendable func point(to host: String) throws {
            let name = "\(folder.path)/.s.PGSQL.5432"
            try? FileManager.default.removeItem(atPath: name)
            try FileManager.default.createSymbolicLink(atPath: name, withDestinationPath: "\(host)/.s.PGSQL.5432")
        }
        try point(to: standbys[0])
        try withApp(servers, readHosts: [folder.path]) { client, servers, loop, replicas in
            for _ in 0..<100 where replicas.statistics.inUse == 0 { try await loop.sleep(for: .milliseconds(50)) }
            try point(to: standbys[1])
            try servers.sql("SELECT pg_wal_replay_pause()", on: standbys[1])
            let (target, position) = try await Self.create(client, "one")
            try await loop.sleep(for: .milliseconds(300))
            for _ in 0..<20 {
                #expect(try await client.get(target, headers: [.databasePosition: position]).status == .ok)
                try await loop.sleep(for: .milliseconds(20))
            }
        }
    }

    @Test func `a privilege that a replica has not replayed yet causes no errors`() throws {
        let servers = try Self.servers()
        try servers.sql("CREATE ROLE reader LOGIN IN ROLE pg_read_all_stats", on: servers.primary)
        try withApp(servers, user: "reader") { client, servers, loop, replicas in
            for _ in 0..<100 where replicas.statistics.inUse == 0 { try await loop.sleep(for: .milliseconds(50)) }
            try servers.sql("SELECT pg_wal_replay_pause()", on: servers.standbys[0])
            try servers.sql("GRANT SELECT ON campaign TO reader", on: servers.primary)
            #expect(try await client.get("/campaigns/?limit=1").status == .ok)
            #expect(replicas.statistics.retries == 1)
        }
    }

    @Test func `replicas of a primary that is idle after a WAL segment switch do not count as lagging`() throws {
        try withApp(Self.servers(), maximumLag: 500) { client, servers, loop, replicas in
            _ = try await Self.create(client, "one")
            try servers.sql("SELECT pg_switch_wal()", on: servers.primary)
            try await loop.sleep(for: .milliseconds(200))
            for _ in 0..<40 {
                #expect(replicas.statistics.inUse == 1)
                try await loop.sleep(for: .milliseconds(50))
            }
        }
    }

    @Test func `a standby is not read from after a crash until it has replayed its former position`() throws {
        try withApp(Self.servers()) { client, servers, loop in
            let standby = servers.standbys[0]
            for round in 0..<4 {
                let (target, position) = try await Self.create(client, "\(round)")
                try await loop.sleep(for: .milliseconds(300))
                let pid = try servers.sql(
                    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1",
                    on: standby)
                kill(try #require(Int32(pid)), SIGKILL)
                try await loop.sleep(for: .milliseconds(20 + 10 * round))
                for _ in 0..<20 {
                    #expect(try await client.get(target, headers: [.databasePosition: position]).status == .ok)
                    try await loop.sleep(for: .milliseconds(5))
                }
                try await loop.sleep(for: .milliseconds(1500))
            }
        }
    }

    @Test func `a standby of a former primary that is ahead of the new one is not read from`() throws {
        let servers = try Self.servers(2)
        let (kept, left) = (servers.standbys[0], servers.standbys[1])
        // The promoted standby lacks the last rows, which the other one has.
        try servers.set("primary_conninfo", "''", on: kept)
        try waitUntil("it does not stream") {
            try servers.sql("SELECT count(*) FROM pg_stat_replication", on: servers.primary) == "1"
        }
        let row = "INSERT INTO campaign (name, description) SELECT 'lost', '' FROM generate_series(1, 1000)"
        try servers.sql(row, on: servers.primary)
        try waitUntil("the other has the rows") { try servers.sql("SELECT count(*) FROM campaign", on: left) == "1000" }
        try servers.kill(servers.primary, SIGKILL)
        try servers.promote(0)
        try withApp(servers, primary: kept, readHosts: [left]) { client, servers, loop, replicas in
            _ = try await client.get("/readyz")
            try await loop.sleep(for: .milliseconds(1500))
            #expect(try await client.get("/campaigns/1").status == .notFound)
            #expect(replicas.statistics.inUse == 0)
        }
    }
}
