import Foundation
import ORM
import TestSupport
import Testing

/// A primary and its standbys, each a separate temporary cluster.
final class ReplicatedPostgres: Sendable {
    private let folder: Folder
    /// The socket directory of the primary, which serves as its host name.
    let primary: String
    /// The socket directories of the standbys.
    let standbys: [String]

    /// - Parameters:
    ///   - isSynchronous: whether replication is synchronous, and everything is synced to disk.
    ///   - prepare: runs on the primary before the standbys are created.
    init(
        standbys count: Int = 1, isSynchronous: Bool = false,
        _ prepare: (_ primary: String) throws -> Void = { _ in }
    ) throws {
        folder = try Folder()
        let options = ["--watch", String(getpid())] + (isSynchronous ? ["--synced"] : [])
        primary = try ReplicatedPostgres.cluster("start", "\(folder.path)/0", options)
        try prepare(primary)
        let (path, host) = (folder.path, primary)
        standbys = try (1...count).map {
            try ReplicatedPostgres.cluster("start", "\(path)/\($0)", options + ["--standby-of", host])
        }
        if isSynchronous {
            try set("synchronous_standby_names", "'*'", on: primary)
        }
        let state = isSynchronous ? "sync" : "async"
        try waitUntil("the standbys stream") {
            try sql(
                "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = '\(state)'",
                on: primary)
                == String(count)
        }
    }

    deinit {
        for number in 0...standbys.count {
            _ = try? runToEnd(["scripts/cluster", "stop", "\(folder.path)/\(number)"])
        }
    }

    /// A configuration with the hosts of all servers, the standbys first.
    var configuration: DatabaseConfiguration { configuration(with: nil) }

    /// Returns a configuration with the host `other`, if any, before those of all servers.
    func configuration(with other: String?) -> DatabaseConfiguration {
        let hosts = ([other].compactMap(\.self) + standbys + [primary]).joined(separator: ",")
        return DatabaseConfiguration(
            server: .parts(host: hosts, port: 5432, user: "postgres", password: "", database: "postgres"))
    }

    /// Promotes a standby.
    func promote(_ standby: Int = 0) throws {
        _ = try ReplicatedPostgres.cluster("promote", "\(folder.path)/\(standby + 1)", [])
    }

    /// Sends a signal to a server's postmaster, or to all its processes.
    func kill(_ host: String, _ signal: Int32, all: Bool = false) throws {
        // Reads the pid from the first line of the lock file, since a frozen server cannot be queried.
        let file = try String(contentsOfFile: "\(host)/.s.PGSQL.5432.lock", encoding: .utf8)
        let pid = try #require(file.split(separator: "\n").first.flatMap { Int32($0) })
        let children = all ? try run(["pgrep", "-P", String(pid)]).split(separator: "\n").compactMap { Int32($0) } : []
        for process in [pid] + children { Foundation.kill(process, signal) }
    }

    /// Changes a setting, and reloads the configuration.
    func set(_ name: String, _ value: String, on host: String) throws {
        try sql("ALTER SYSTEM SET \(name) = \(value)", on: host)
        try sql("SELECT pg_reload_conf()", on: host)
    }

    /// Runs SQL on one server, and returns psql's output.
    @discardableResult
    func sql(_ text: String, on host: String) throws -> String { try ReplicatedPostgres.sql(text, on: host) }

    @discardableResult
    static func sql(_ text: String, on host: String) throws -> String {
        try run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", host, "-U", "postgres", "-c", text])
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Waits until every standby has replayed what the primary has committed so far.
    func waitUntilReplayed() throws {
        let position = try sql("SELECT pg_current_wal_insert_lsn()", on: primary)
        for standby in standbys {
            try waitUntil("\(standby) has replayed \(position)") {
                try sql("SELECT pg_last_wal_replay_lsn() >= '\(position)'", on: standby) == "t"
            }
        }
    }

    private static func cluster(_ command: String, _ folder: String, _ options: [String]) throws -> String {
        try run(["scripts/cluster", command, folder] + options).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
