import Foundation
import TestSupport

/// The Postgres cluster under test, and the faults that can be injected into it.
final class Cluster: Sendable {
    let database: TestDatabase
    private let data: String
    private let programs: String

    init() throws {
        database = try TestDatabase()
        data = try database.sql("SHOW data_directory")
        programs = try database.sql("SELECT setting FROM pg_config WHERE name = 'BINDIR'")
        // Acknowledged writes must survive a crash of the server, unlike those in other temporary clusters.
        try database.sql("ALTER DATABASE \(database.name) SET synchronous_commit = on")
    }

    /// Runs `pg_ctl` as the owner of the data. A start uses the options of the first start.
    func control(_ arguments: String...) throws {
        let attributes = try FileManager.default.attributesOfItem(atPath: data)
        let owner = attributes[.ownerAccountName] as? String ?? "postgres"
        let group = attributes[.groupOwnerAccountName] as? String ?? "postgres"
        let prefix = getuid() == 0 ? ["setpriv", "--reuid=\(owner)", "--regid=\(group)", "--clear-groups", "--"] : []
        try run(
            ["env", "-C", "/"] + prefix + [
                "\(programs)/pg_ctl", "-D", data, "-w", "-t", "30", "-l", "\(data)/../postgres.log",
            ]
                + arguments)
    }

    var isRunning: Bool { (try? database.sql("SELECT 1")) == "1" }

    var postmaster: pid_t {
        let file = try? String(contentsOfFile: "\(data)/postmaster.pid", encoding: .utf8)
        return file?.split(separator: "\n").first.flatMap { pid_t($0) } ?? 0
    }

    private static let ofWorkers =
        "FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'aktify%'"

    /// The process ids of the backends of the workers.
    func backends() throws -> [pid_t] {
        try database.sql("SELECT pid \(Cluster.ofWorkers)").split(separator: "\n").compactMap { pid_t($0) }
    }

    /// Terminates backends of the workers, each with this probability.
    func terminate(_ probability: Double) throws {
        try database.sql("SELECT pg_terminate_backend(pid) \(Cluster.ofWorkers) AND random() < \(probability)")
    }

    /// Locks the table for some seconds.
    func lock(_ mode: String, seconds: Double) throws {
        try database.sql("BEGIN; LOCK TABLE campaign IN \(mode) MODE; SELECT pg_sleep(\(seconds)); ROLLBACK")
    }

    /// Adds a column, changes the type of another one, and drops the added one, so that prepared statements become
    /// stale.
    func alterTable() throws {
        try database.sql("SET lock_timeout = '2s'; ALTER TABLE campaign ADD COLUMN IF NOT EXISTS extra integer")
        try database.sql("SET lock_timeout = '2s'; ALTER TABLE campaign ALTER COLUMN name TYPE varchar(300)")
        try database.sql("SET lock_timeout = '2s'; ALTER TABLE campaign DROP COLUMN IF EXISTS extra")
    }

    /// The campaigns by name: the number of rows with that name, and the lowest of their ids.
    func rows() throws -> [String: (count: Int, id: Int)] {
        var rows: [String: (count: Int, id: Int)] = [:]
        for line in try database.sql("SELECT name, count(*), min(id) FROM campaign GROUP BY name").split(
            separator: "\n")
        {
            let parts = line.split(separator: "|")
            guard parts.count == 3, let count = Int(parts[1]), let id = Int(parts[2]) else { continue }
            rows[String(parts[0])] = (count, id)
        }
        return rows
    }

    func reset() throws {
        try database.sql("TRUNCATE campaign RESTART IDENTITY; INSERT INTO campaign (name) VALUES ('first')")
    }
}
