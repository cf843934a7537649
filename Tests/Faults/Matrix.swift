import Foundation
import TestSupport

/// The fault matrix: runs each named fault under load, and lists the statuses of the responses.
struct Matrix {
    let stack: Stack

    init(_ stack: Stack) { self.stack = stack }

    /// - Returns: whether no guarantee was violated.
    func run() throws -> Bool {
        var lines = [
            "| fault | reads | writes | routes without a database query | recovered after | violations |",
            "|---|---|---|---|---|---|",
        ]
        var hasPassed = true
        for (number, row) in MatrixRow.all.enumerated() where !isInterrupted.load(ordering: .relaxed) {
            let (line, violations) = try run(row, UInt64(number + 1))
            say(line)
            for violation in violations { say("  ✘ \(violation)") }
            lines.append(line)
            hasPassed = hasPassed && violations.isEmpty
        }
        if !isInterrupted.load(ordering: .relaxed) { try write(lines) }
        return hasPassed
    }

    private func run(_ row: MatrixRow, _ seed: UInt64) throws -> (String, [String]) {
        if let reason = row.reason { return ("| \(row.name) | \(reason) | | | | |", []) }
        if row.faults.contains(where: { $0.0 == .fullDisk }), !Cluster.canMount {
            return ("| \(row.name) | not run: a small disk cannot be mounted here | | | | |", [])
        }
        let faults = row.faults.map { Fault(kind: $0.0, start: $0.1, seconds: $0.2, seed: seed) }
        let plan = Plan(seed: seed, connections: row.connections, clients: row.clients, faults: faults)
        let findings = try Round(plan: plan, stack: stack).run()
        let exchanges = findings.exchanges
        let bad = exchanges.filter {
            $0.status != 0 && !$0.route.expected.contains($0.status) && $0.ended > findings.lastFaultEnd
        }
        let recovery = faults.isEmpty ? 0 : max(0, (bad.map(\.ended).max() ?? 0) - findings.lastFaultEnd)
        let cells = [
            statuses(exchanges.filter(\.route.isRead)), statuses(exchanges.filter(\.route.isWrite)),
            statuses(exchanges.filter { !$0.route.isRead && !$0.route.isWrite }), "\(recovery.rounded2) s",
            findings.violations.isEmpty ? "none" : String(findings.violations.count),
        ]
        return ("| \(row.name) | \(cells.joined(separator: " | ")) |", findings.violations)
    }

    /// Returns the statuses of the responses, the most frequent first. Exchanges that ended without a response are
    /// listed as "no response".
    private func statuses(_ exchanges: [Exchange]) -> String {
        let seen = Dictionary(grouping: exchanges, by: \.status).map { ($0.key, $0.value.count) }
        return seen.sorted { $0.1 > $1.1 }.map { $0.0 == 0 ? "no response" : String($0.0) }.joined(separator: " ")
    }

    private func write(_ lines: [String]) throws {
        let head = """
            # Responses during faults

            For operators: which statuses clients receive while something fails, as measured under load.

            Written by `faults --matrix`: each fault is injected under load, with two workers. The columns list the
            statuses that were observed, in the order of their frequency. Each status is checked against those that the
            fault permits, and each write against the row in the database. "No response" means a client that
            disconnected, or a connection that ended with its worker.


            """
        try FileManager.default.createDirectory(atPath: "\(checkout)/docs", withIntermediateDirectories: true)
        try Data((head + lines.joined(separator: "\n") + "\n").utf8).write(
            to: URL(filePath: "\(checkout)/docs/faults.md"))
    }
}

/// A row of the matrix.
struct MatrixRow {
    let name: String
    /// The kind, start and duration of each fault, in seconds.
    var faults: [(FaultKind, Double, Double)] = []
    var connections = 2
    var clients: [Behaviour] = [.reader, .reader, .writer, .writer, .watcher]
    /// Why the row is not run; `nil` if it is.
    var reason: String?

    static let all = [
        MatrixRow(name: "backends terminated", faults: (1...6).map { (.terminate, Double($0) * 0.4, 0) }),
        MatrixRow(name: "restart, fast", faults: [(.restartFast, 1, 0)]),
        MatrixRow(name: "restart, immediate", faults: [(.restartImmediate, 1, 0)]),
        MatrixRow(name: "database absent when workers start", faults: [(.stopAndStart, 0.5, 1.5), (.reload, 0.8, 0)]),
        MatrixRow(name: "port refuses", faults: [(.refuse, 0.5, 1.5)]),
        MatrixRow(name: "black hole", faults: [(.blackHole, 0.5, 4)]),
        MatrixRow(name: "postmaster stopped", faults: [(.freezePostmaster, 0.5, 2), (.terminate, 0.6, 0)]),
        MatrixRow(name: "backends stopped in mid-query", faults: [(.freezeBackends, 0.5, 3.5)]),
        MatrixRow(name: "slow query: table locked", faults: [(.lockAll, 0.5, 3.5)]),
        MatrixRow(name: "writes wait for a lock", faults: [(.lockWrites, 0.5, 3.5)]),
        MatrixRow(name: "pool exhausted: one connection, and slow", faults: [(.lockAll, 0.5, 1.5)], connections: 1),
        MatrixRow(name: "max_connections reached", faults: [(.exhaustConnections, 0.5, 1), (.terminate, 0.7, 0)]),
        MatrixRow(name: "failover", reason: "not run: this cluster has no standby"),
        MatrixRow(name: "deadlock, serialization failure", reason: "no route has more than one statement"),
        MatrixRow(
            name: "connection lost while a write is being answered",
            faults: [(.delay, 0.5, 3)] + (1...6).map { (.cut, Double($0) * 0.4, 0) }),
        MatrixRow(name: "ALTER TABLE during load", faults: [(.alterTable, 0.5, 0), (.alterTable, 1.5, 0)]),
        MatrixRow(name: "migration not applied", reason: "see the tests of migrations"),
        MatrixRow(name: "clients close early", clients: [.aborter, .aborter, .reader, .writer, .watcher]),
        MatrixRow(name: "nested savepoint fails", reason: "no route has a savepoint"),
        MatrixRow(name: "worker killed", faults: (1...3).map { (.killWorker, Double($0) * 0.7, 0) }),
        MatrixRow(name: "TERM under load, and a new master", faults: [(.terminateMaster, 1, 0.2)]),
        MatrixRow(name: "latency", faults: [(.delay, 0.5, 2)]),
        MatrixRow(name: "1-byte packets", faults: [(.trickle, 0.5, 1)]),
        MatrixRow(
            name: "bodies that are too large, or expensive to parse",
            clients: [.hostile, .hostile, .anything, .reader, .watcher]),
        MatrixRow(name: "wrong password", reason: "not run: this cluster uses trust authentication"),
        MatrixRow(name: "disk full", faults: [(.fullDisk, 0.5, 1.5)]),
        MatrixRow(name: "PgBouncer", reason: "make test-pgbouncer"),
        MatrixRow(name: "reloads", faults: [(.reload, 0.5, 0), (.reexecute, 1.5, 0), (.reloadNginx, 2, 0)]),
        MatrixRow(name: "reload of a bad configuration", faults: [(.badReload, 0.5, 0)]),
        MatrixRow(name: "descriptors at their limit", faults: [(.fewDescriptors, 0.5, 1)]),
        MatrixRow(name: "memory at its limit", faults: [(.littleMemory, 0.5, 1)]),
    ]
}
