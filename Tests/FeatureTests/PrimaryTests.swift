import EventLoop
import Glibc
import ORM
import Postgres
import TestSupport
import Testing

/// Writes during a failover from a primary to a synchronous standby.
@Suite struct PrimaryTests {
    private static func pair() throws -> ReplicatedPostgres {
        try ReplicatedPostgres(isSynchronous: true) {
            try ReplicatedPostgres.sql("CREATE TABLE note (id bigint PRIMARY KEY)", on: $0)
        }
    }

    @Test func `writes find the new primary after a failover, and no acknowledged write is lost`()
        throws
    {
        let clusters = try Self.pair()
        let configuration = clusters.configuration
        try Loop.run {
            let loop = try #require(Loop.current)
            let database = Database(configuration)
            var (id, acknowledged) = (Int64(0), [Int64]())
            func write() async throws {
                id += 1
                let note = id
                try await database.execute("INSERT INTO note VALUES (\(note))")
                acknowledged.append(note)
            }
            for _ in 0..<50 { try await write() }
            try clusters.kill(clusters.primary, SIGKILL)
            for _ in 0..<20 {
                try? await write()
                try await loop.sleep(for: .milliseconds(50))
            }
            try clusters.promote()
            let promoted = Instant.now
            var isBack = false
            while !isBack, Instant.now.duration(since: promoted) < .seconds(10) {
                isBack = (try? await write()) != nil
                try await loop.sleep(for: .milliseconds(20))
            }
            #expect(isBack && Instant.now.duration(since: promoted) < .seconds(2))
            for _ in 0..<50 { try await write() }
            let found = try await database.read("SELECT id FROM note")
            var rows: Set<Int64> = []
            for index in 0..<found.count {
                var row = found.row(index)
                rows.insert(try row.next())
            }
            #expect(rows.isSuperset(of: acknowledged))
        }
    }

    @Test func `an unresponsive server does not keep writes from the new primary`() throws {
        let clusters = try Self.pair()
        // The kernel accepts the connection, but nobody ever reads from it, as with a frozen server.
        let silent = try Socket.listening()
        let configuration = clusters.configuration(with: "127.0.0.1:\(silent.port)")
        try Loop.run {
            let loop = try #require(Loop.current)
            let database = Database(configuration)
            let begin = Instant.now
            try await database.execute("INSERT INTO note VALUES (1)")
            #expect(Instant.now.duration(since: begin) < .seconds(1))
            try clusters.kill(clusters.primary, SIGKILL)
            // A search is in progress now, which the unresponsive server delays for three seconds.
            for _ in 0..<10 {
                _ = try? await database.execute("INSERT INTO note VALUES (2)")
                try await loop.sleep(for: .milliseconds(50))
            }
            try clusters.promote()
            let promoted = Instant.now
            var isBack = false
            while !isBack, Instant.now.duration(since: promoted) < .seconds(10) {
                isBack = (try? await database.execute("INSERT INTO note VALUES (3)")) != nil
                try await loop.sleep(for: .milliseconds(20))
            }
            #expect(isBack && Instant.now.duration(since: promoted) < .seconds(2))
        }
        withExtendedLifetime(silent.socket) {}
    }

    @Test func `a server that has become read-only is abandoned for a writable one`() throws {
        let clusters = try Self.pair()
        let configuration = clusters.configuration
        try Loop.run {
            let loop = try #require(Loop.current)
            let database = Database(configuration)
            try await database.execute("INSERT INTO note VALUES (1)")
            try clusters.set("default_transaction_read_only", "on", on: clusters.primary)
            // A write before these settings would wait for the standby forever.
            var isReadOnly = false
            for _ in 0..<500 where !isReadOnly {
                var row = try await database.read("SHOW default_transaction_read_only").row(0)
                isReadOnly = try row.next() == "on"
                try await loop.sleep(for: .milliseconds(10))
            }
            try #require(isReadOnly)
            try clusters.promote()
            var errors: [String?] = []
            for note in Int64(2)...40 where errors.last != "none" {
                do {
                    try await database.execute("INSERT INTO note VALUES (\(note))")
                    errors.append("none")
                } catch let error as DatabaseError { errors.append(error.state?.code) }
            }
            #expect(
                errors.last == "none" && errors.count > 1 && errors.dropLast().allSatisfy { $0 == "25006" }, "\(errors)"
            )
            #expect(try clusters.sql("SELECT max(id) FROM note", on: clusters.standbys[0]) != "1")
        }
    }
}
