import EventLoop
import Foundation
import ORM
import Postgres
import TestSupport
import Testing

/// A primary and a synchronous standby, and what becomes of those who write when the one is lost and the other takes its place.
@Suite struct PrimaryTests {
    /// Two clusters, ended when nobody holds them.
    private final class Pair {
        private let folder: Folder
        let primary: String
        let standby: String

        init() throws {
            folder = try Folder()
            let options = ["--watch", String(getpid()), "--synced"]
            primary = try Pair.cluster("start", "\(folder.path)/a", options)
            try Pair.sql("CREATE TABLE note (id bigint PRIMARY KEY)", on: primary)
            standby = try Pair.cluster("start", "\(folder.path)/b", options + ["--standby-of", primary])
            try Pair.sql("ALTER SYSTEM SET synchronous_standby_names = '*'", on: primary)
            try Pair.sql("SELECT pg_reload_conf()", on: primary)
            let host = primary
            try waitUntil("the standby is synchronous") {
                try Pair.sql("SELECT sync_state FROM pg_stat_replication", on: host) == "sync"
            }
        }

        /// Names both servers.
        var configuration: DatabaseConfiguration { configuration(with: nil) }

        /// Names both servers, and another before them.
        func configuration(with other: String?) -> DatabaseConfiguration {
            let hosts = [other, standby, primary].compactMap(\.self).joined(separator: ",")
            return DatabaseConfiguration(
                server: .parts(host: hosts, port: 5432, user: "postgres", password: "", database: "postgres"))
        }

        deinit {
            for name in ["a", "b"] { _ = try? runToEnd(["scripts/cluster", "stop", "\(folder.path)/\(name)"]) }
        }

        func promote() throws { _ = try Pair.cluster("promote", "\(folder.path)/b", []) }

        /// Kills the primary's postmaster, whose backends end when they notice.
        func killPrimary() throws {
            let file = try Pair.sql("SHOW data_directory", on: primary) + "/postmaster.pid"
            let pid = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").first.flatMap {
                Int32($0)
            }
            kill(try #require(pid), SIGKILL)
        }

        @discardableResult
        static func sql(_ text: String, on socket: String) throws -> String {
            try run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", socket, "-U", "postgres", "-c", text])
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }

        private static func cluster(_ command: String, _ folder: String, _ options: [String]) throws -> String {
            try run(["scripts/cluster", command, folder] + options).trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    @Test func `writes find the primary that takes the place of a lost one, and none that was acknowledged is lost`()
        throws
    {
        let pair = try Pair()
        let configuration = pair.configuration
        nonisolated(unsafe) let clusters = pair  // Sound: touched by one task at a time.
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
            try clusters.killPrimary()
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

    @Test func `a server that does not answer keeps nobody from the one that takes its place`() throws {
        let pair = try Pair()
        // The kernel takes the connection, and nobody ever reads from it, as of a server that is frozen.
        let silent = try Socket.listening()
        let configuration = pair.configuration(with: "127.0.0.1:\(silent.port)")
        nonisolated(unsafe) let clusters = pair  // Sound: touched by one task at a time.
        try Loop.run {
            let loop = try #require(Loop.current)
            let database = Database(configuration)
            let begin = Instant.now
            try await database.execute("INSERT INTO note VALUES (1)")
            #expect(Instant.now.duration(since: begin) < .seconds(1))
            try clusters.killPrimary()
            // A search is under way now, which the silent server holds up for three seconds.
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

    @Test func `a server that takes no changes any more is left for one that does`() throws {
        let pair = try Pair()
        let configuration = pair.configuration
        nonisolated(unsafe) let clusters = pair  // Sound: touched by one task at a time.
        try Loop.run {
            let loop = try #require(Loop.current)
            let database = Database(configuration)
            try await database.execute("INSERT INTO note VALUES (1)")
            try Pair.sql("ALTER SYSTEM SET default_transaction_read_only = on", on: clusters.primary)
            try Pair.sql("SELECT pg_reload_conf()", on: clusters.primary)
            // A write that came before the settings would wait for its standby for ever.
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
            #expect(try Pair.sql("SELECT max(id) FROM note", on: clusters.standby) != "1")
        }
    }
}
