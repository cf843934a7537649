import EventLoop
import Postgres
import SQL

/// Upgrades and downgrades a database's schema, and records its revisions in Alembic's own table.
public struct Migrator: Sendable {
    let graph: RevisionGraph
    private var configuration: PostgresConfiguration
    let options: Options
    let log: @Sendable (String) -> Void

    /// Timeouts and safety checks of a migration.
    public struct Options: Sendable {
        /// How long to wait for the migration lock.
        public var lockTimeout = Duration.seconds(30)
        /// How long to wait for a primary, for example during a failover, if several servers are configured.
        public var primaryTimeout = Duration.seconds(60)
        /// The `lock_timeout` of each statement. When it expires, the revision is retried, unless the whole run is a
        /// single transaction.
        ///
        /// The timeout is short because other sessions queue behind a waiting statement.
        public var tableLockTimeout = Duration.seconds(1)
        /// The maximum number of attempts of a revision that does not get a table lock. A commit within the revision
        /// resets the count.
        public var maximumAttempts = 10
        /// Whether the whole run is a single transaction.
        public var isOneTransaction = false
        /// Whether statements may delete data irrecoverably.
        public var allowsDataLoss = false
        /// Whether to continue although files of applied revisions have changed.
        public var allowsChangedFiles = false
        /// Whether an interrupted statement may be run again though its effect is unknown.
        public var rerunsInterruptedStatements = false
        /// The program's version, which is recorded in `migration_history`.
        public var programVersion = ""
        /// Whether the target is a scratch database. If so, server-wide statements are skipped, and a revision with a
        /// `-- contract of REV` comment is applied without checking that all connected programs know REV.
        var isTrial = false

        /// Creates the default options.
        public init() {}
    }

    /// Creates a migrator.
    /// - Parameters:
    ///   - graph: all revisions.
    ///   - configuration: the database and the role that owns its schema.
    ///   - options: timeouts and safety checks.
    ///   - log: receives progress messages, in Alembic's wording where it has them, and the server's notices.
    public init(
        graph: RevisionGraph, configuration: PostgresConfiguration, options: Options = Options(),
        log: @escaping @Sendable (String) -> Void
    ) {
        (self.graph, self.configuration, self.options, self.log) = (graph, configuration, options, log)
        self.configuration.applicationName = "aktify db"
    }

    /// Returns the database's current revisions.
    /// - Throws: `PostgresError`; `RevisionGraph.GraphError` if a current revision has no file.
    public func versions() async throws -> Set<String> {
        try await withSession { try await currentVersions($0) }
    }

    /// Returns the paths of the files of applied revisions that have changed since they were applied.
    /// - Throws: `PostgresError`, `RevisionGraph.GraphError`.
    public func changedFiles() async throws -> [String] {
        try await withSession { session in
            try await session.changed(try applied(try await currentVersions(session))).map(\.file)
        }
    }

    /// Runs the verifications of all applied revisions in read-only transactions that are rolled back.
    /// - Returns: A message for each revision whose verification fails.
    /// - Throws: `PostgresError`, `RevisionGraph.GraphError`.
    public func failedVerifications() async throws -> [String] {
        try await withSession { session in
            var problems: [String] = []
            for revision in try applied(try await currentVersions(session))
            where !revision.verification.statements.isEmpty {
                try await session.connection.script("BEGIN READ ONLY")
                if let problem = try await session.failedVerification(of: revision) { problems.append(problem) }
                try await session.connection.script("ROLLBACK")
                try await session.reset()
            }
            return problems
        }
    }

    /// Applies the pending revisions up to a target under the migration lock, by default each in its own transaction.
    /// A concurrent command waits for the lock, then finds nothing to do. If nothing is pending, the lock is not taken.
    /// - Throws: `MigrationFailed`, `RevisionGraph.GraphError`, `PostgresError`.
    public func upgrade(to target: String = "head") async throws {
        try await run(.upgrade, target) { try graph.upgradePlan(to: target, from: $0) }
    }

    /// Reverts revisions down to a target; by default, one revision.
    /// - Throws: `MigrationFailed`, `RevisionGraph.GraphError`, `PostgresError`.
    public func downgrade(to target: String = "-1") async throws {
        try await run(.downgrade, target) { try graph.downgradePlan(to: target, from: $0) }
    }

    /// Sets the database's current revision without running anything, and clears the records of incomplete runs.
    /// - Parameters:
    ///   - target: the revision.
    ///   - purges: whether rows of `alembic_version` without a file are replaced, instead of being an error.
    /// - Throws: `MigrationFailed`, `RevisionGraph.GraphError`, `PostgresError`.
    public func stamp(_ target: String, purges: Bool = false) async throws {
        try await withSession(waitsForPrimary: true) { session in
            try await session.lock(within: options.lockTimeout, log: log)
            try await session.makeTables()
            let old = try await session.versions()
            let new = Set(try graph.resolve(target, current: old))
            if !purges { _ = try graph.closure(of: old) }
            let incomplete = try await incompleteRevisions(session)
            guard old != new || !incomplete.isEmpty else { return }
            log(
                "Running stamp_revision \(old.sorted().joined(separator: ", ")) -> "
                    + "\(new.sorted().joined(separator: ", "))"
            )
            try await session.connection.script("BEGIN")
            try await session.move(from: old, to: new, in: graph)
            for id in new.subtracting(old).union(incomplete).sorted() {
                try await session.record(try graph.revision(id), "stamp", since: .now, .stamped)
            }
            try await session.connection.script("COMMIT")
        }
    }

    /// Returns the ids of revisions that earlier runs have left incomplete.
    private func incompleteRevisions(_ session: MigrationSession) async throws -> Set<String> {
        var ids: Set<String> = []
        for revision in graph.revisions where try await session.incompleteRun(of: revision) != nil {
            ids.insert(revision.id)
        }
        return ids
    }

    // MARK: Sessions and runs

    /// Opens a session for `body`, and closes it afterwards. When the task is cancelled, the current statement is
    /// cancelled.
    /// - Parameter waitsForPrimary: whether to wait for a primary if several servers are configured.
    func withSession<Value: Sendable>(
        waitsForPrimary: Bool = false, _ body: (MigrationSession) async throws -> Value
    ) async throws -> Value {
        let session = try await connected(until: .now.advanced(by: waitsForPrimary ? options.primaryTimeout : .zero))
        defer { session.connection.close() }
        guard let loop = Loop.current else { preconditionFailure("migrations run on a loop") }
        return try await withTaskCancellationHandler {
            try await body(session)
        } onCancel: {
            Task(executorPreference: loop) { await session.connection.cancel() }
        }
    }

    /// Connects to the database. If several servers are configured, retries until one is the primary or the deadline
    /// passes.
    private func connected(until deadline: Instant) async throws -> MigrationSession {
        var hasLogged = false
        while true {
            do { return try await MigrationSession(configuration, options, log: log) } catch let error as PostgresError
                where error.kind == .unreachable && !error.isRefusal && configuration.hasSeveralServers
                && Instant.now < deadline
            {
                if !hasLogged { log("Waiting for a primary: \(error)") }
                hasLogged = true
                try await Loop.current?.sleep(for: .milliseconds(500))
            }
        }
    }

    /// Returns the database's current revisions, and throws if one of them has no file.
    func currentVersions(_ session: MigrationSession) async throws -> Set<String> {
        let versions = try await session.versions()
        _ = try graph.closure(of: versions)
        return versions
    }

    private func run(
        _ direction: MigrationRun.Direction, _ target: String, _ plan: (Set<String>) throws -> [Revision]
    ) async throws {
        log("Context impl PostgresqlImpl.")
        log("Will assume transactional DDL.")
        try await withSession(waitsForPrimary: true) { session in
            let versionsBeforeLock = try await currentVersions(session)
            try await check(session, versionsBeforeLock, try plan(versionsBeforeLock), direction, isLocked: false)
            guard try !plan(versionsBeforeLock).isEmpty else { return }
            try await session.lock(within: options.lockTimeout, log: log)
            try await session.makeTables()
            // The previous holder of the lock may have changed the database: everything is checked again.
            let versions = try await currentVersions(session)
            if versions != versionsBeforeLock, isRelative(target) {
                throw MigrationFailed(
                    "\(target) refers to a different revision now: the database moved from "
                        + "\(position(versionsBeforeLock)) to \(position(versions)) in the meantime. Nothing was "
                        + "changed; run the command again")
            }
            let planned = try plan(versions)
            try await check(session, versions, planned, direction, isLocked: true)
            if direction == .upgrade { try await session.accept(session.changed(applied(versions))) }
            let blockers = BlockerWatch(configuration, pid: try await session.pid(), log: log)
            defer { blockers.close() }
            let run = MigrationRun(
                session: session, graph: graph, direction: direction, options: options, blockers: blockers, log: log)
            try await run.carryOut(planned, from: versions)
        }
    }

    /// Whether a target is relative to the database's current revision, such as `+1`, `-1` or `current-1`.
    private func isRelative(_ target: String) -> Bool {
        target.hasPrefix("+") || target.hasPrefix("-") || target.hasPrefix("current")
    }

    /// Returns the current revisions as text for a message; `base` if there are none.
    private func position(_ versions: Set<String>) -> String {
        versions.isEmpty ? "base" : versions.sorted().joined(separator: ", ")
    }

    /// Returns the current revisions and all their ancestors, in order.
    func applied(_ versions: Set<String>) throws -> [Revision] {
        let ids = try graph.closure(of: versions)
        return graph.revisions.filter { ids.contains($0.id) }
    }

    /// Checks the preconditions of a plan to upgrade or downgrade the database.
    /// - Parameter isLocked: whether the migration lock is held. Without the lock, incomplete runs are not checked,
    ///   since another session may still be executing them.
    private func check(
        _ session: MigrationSession, _ versions: Set<String>, _ plan: [Revision], _ direction: MigrationRun.Direction,
        isLocked: Bool
    ) async throws {
        if direction == .upgrade { try await checkUpgrade(session, versions, isLocked: isLocked) }
        if direction == .downgrade, isLocked { try await checkDowngrade(session, plan) }
        for revision in plan {
            let section = direction == .upgrade ? revision.upgrade : revision.downgrade
            if let problem = direction == .upgrade ? revision.problem : section.problem { throw problem }
            if !options.allowsDataLoss { try checkDataLoss(section, of: revision) }
            if direction == .downgrade, let reason = revision.downgrade.irreversible {
                throw MigrationFailed("\(revision.file): \(revision.id) is irreversible: \(reason)")
            }
            if options.isOneTransaction, revision.upgrade.isOutside || revision.downgrade.isOutside {
                throw MigrationFailed(
                    "\(revision.file) has a statement outside a transaction, which --single-transaction does not "
                        + "support"
                )
            }
            if direction == .upgrade { try await session.checkContract(of: revision, in: graph) }
            if isLocked { try await checkIncompleteRun(session, revision, section, direction) }
        }
    }

    /// Throws if an earlier run has left the revision incomplete, and this run cannot resume it.
    func checkIncompleteRun(
        _ session: MigrationSession, _ revision: Revision, _ section: Revision.Section,
        _ direction: MigrationRun.Direction
    ) async throws {
        guard let incompleteRun = try await session.incompleteRun(of: revision) else { return }
        guard incompleteRun.direction == direction.rawValue else {
            throw MigrationFailed(
                "the \(incompleteRun.direction) of \(revision.id) is incomplete: \(incompleteRun.detail). Finish it "
                    + "first, or revert manually what it did and clear its progress: aktify db repair")
        }
        guard try await session.isUnchanged(incompleteRun, in: section.statements) else {
            throw MigrationFailed(
                "\(revision.file) differs from what was run of it before it stopped: restore these statements, or "
                    + "revert manually what they did and clear its progress: aktify db repair")
        }
        if incompleteRun.isPositionExact || options.rerunsInterruptedStatements { return }
        let statement = section.statements.dropFirst(incompleteRun.position.statements).first
        if let statement, try await session.canRetryIndexCreation(statement) { return }
        throw MigrationFailed(
            "\(revision.id) failed half-way: \(incompleteRun.detail). Revert manually what that statement did, and run "
                + "it again with --again; or revert everything it did and clear its progress: aktify db repair; or, if "
                + "it is complete: aktify db stamp \(revision.id)"
        )
    }

    /// Checks that no incomplete revision depends on the revisions to revert.
    private func checkDowngrade(_ session: MigrationSession, _ plan: [Revision]) async throws {
        let undone = Set(plan.map(\.id))
        for id in try await incompleteRevisions(session).subtracting(undone).sorted() {
            guard try !graph.closure(of: [id]).isDisjoint(with: undone) else { continue }
            throw MigrationFailed(
                "\(id) depends on a revision that would be reverted, and is incomplete itself. Finish it first, or "
                    + "revert manually what it did and clear its progress: aktify db repair")
        }
    }

    private func checkUpgrade(
        _ session: MigrationSession, _ versions: Set<String>, isLocked: Bool
    ) async throws {
        for revision in try isLocked ? applied(versions) : [] {
            try await checkIncompleteRun(session, revision, revision.downgrade, .upgrade)
        }
        let changed = try await session.changed(try applied(versions))
        if let first = changed.first, !options.allowsChangedFiles {
            throw MigrationFailed(
                "\(first.file) was changed after it had been applied. Restore it and write a new revision, or, if the "
                    + "change is harmless: --allow-changed")
        }
    }

    /// Throws if a statement has a `-- data loss:` comment, or deletes data outside a transaction. Data loss within a
    /// transaction is detected during the run, by `DataLossDetector`.
    private func checkDataLoss(_ section: Revision.Section, of revision: Revision) throws {
        let statement = section.statements.first {
            $0.dataLoss != nil || $0.isOutside && LintedStatement($0).deletesData
        }
        guard let statement else { return }
        let what = statement.dataLoss ?? "it runs outside a transaction, so it cannot be rolled back"
        throw MigrationFailed(
            "\(revision.file):\(statement.line): this deletes data irrecoverably: \(what). Nothing was changed. To "
                + "allow it, use --allow-data-loss")
    }
}
