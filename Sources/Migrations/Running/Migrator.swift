import EventLoop
import Postgres
import SQL

/// Brings a database's schema where it should be, and keeps account of it in Alembic's own table.
public struct Migrator: Sendable {
    let graph: RevisionGraph
    private var configuration: PostgresConfiguration
    let options: Options
    let log: @Sendable (String) -> Void

    /// How careful it is.
    public struct Options: Sendable {
        /// How long to wait for somebody else who changes the schema.
        public var lockTimeout = Duration.seconds(30)
        /// How long to wait for a primary where several servers are named: a failover takes its time.
        public var primaryTimeout = Duration.seconds(60)
        /// How long a statement waits for a table that others use, before it is tried again.
        ///
        /// Others queue behind a statement that waits: so it does not wait long, and is tried more often.
        public var tableLockTimeout = Duration.seconds(1)
        /// How often a revision is tried that did not get a table.
        public var tries = 10
        /// Whether all of a run is one transaction.
        public var isOneTransaction = false
        /// Whether statements may run that delete what nothing can bring back.
        public var allowsDataLoss = false
        /// Whether files may have changed since they were applied.
        public var allowsChanges = false
        /// Whether a statement may be run again of which nobody knows what it has done.
        public var runsAgain = false
        /// What the history says of the program that ran.
        public var programVersion = ""
        /// Whether the database is a scratch database: what is about the whole server is left out then, and nobody is connected.
        var isTrial = false

        /// Makes the defaults.
        public init() {}
    }

    /// Makes a migrator.
    /// - Parameter log: takes Alembic's words, a line at a time.
    public init(
        graph: RevisionGraph, configuration: PostgresConfiguration, options: Options = Options(),
        log: @escaping @Sendable (String) -> Void
    ) {
        (self.graph, self.configuration, self.options, self.log) = (graph, configuration, options, log)
        self.configuration.applicationName = "aktify db"
    }

    /// Where the database stands.
    /// - Throws: `PostgresError`, and `RevisionGraph.Broken` when it stands at a revision that has no file.
    public func versions() async throws -> Set<String> {
        try await withSession { try await known($0) }
    }

    /// The applied revisions whose file is not what it was then.
    /// - Throws: `PostgresError`, `RevisionGraph.Broken`.
    public func changedFiles() async throws -> [String] {
        try await withSession { session in
            try await session.changed(try applied(try await known(session))).map(\.file)
        }
    }

    /// What the applied revisions say must be true, and is not; a sentence each. Nothing of the queries stays.
    /// - Throws: `PostgresError`, `RevisionGraph.Broken`.
    public func untrue() async throws -> [String] {
        try await withSession { session in
            var problems: [String] = []
            for revision in try applied(try await known(session)) where !revision.verification.statements.isEmpty {
                try await session.connection.script("BEGIN READ ONLY")
                if let problem = try await session.untrue(of: revision) { problems.append(problem) }
                try await session.connection.script("ROLLBACK")
                try await session.reset()
            }
            return problems
        }
    }

    /// Applies what the database lacks up to a target, each revision in a transaction of its own, under a lock: whoever comes
    /// at the same time waits, and finds nothing to do. When nothing is pending, nothing is locked.
    /// - Throws: `MigrationFailed`, `RevisionGraph.Broken`, `PostgresError`.
    public func upgrade(to target: String = "head") async throws {
        try await run(.upgrade, target) { try graph.upgradePlan(to: target, from: $0) }
    }

    /// Undoes revisions down to a target: one, unless told otherwise.
    /// - Throws: `MigrationFailed`, `RevisionGraph.Broken`, `PostgresError`.
    public func downgrade(to target: String = "-1") async throws {
        try await run(.downgrade, target) { try graph.downgradePlan(to: target, from: $0) }
    }

    /// Says where the database stands, and runs nothing.
    /// - Parameter purges: whether rows are deleted first that no file has.
    /// - Throws: `MigrationFailed`, `RevisionGraph.Broken`, `PostgresError`.
    public func stamp(_ target: String, purges: Bool = false) async throws {
        try await withSession(waits: true) { session in
            let new = Set(try graph.resolve(target))
            try await session.lock(within: options.lockTimeout, log: log)
            try await session.makeTables()
            let old = purges ? try await session.versions() : try await known(session)
            let halted = try await halted(session)
            guard old != new || !halted.isEmpty else { return }
            log(
                "Running stamp_revision \(old.sorted().joined(separator: ", ")) -> \(new.sorted().joined(separator: ", "))"
            )
            try await session.connection.script("BEGIN")
            try await session.move(from: old, to: new, in: graph)
            for id in new.subtracting(old).union(halted).sorted() {
                try await session.record(try graph.revision(id), "stamp", since: .now, .stamped)
            }
            try await session.connection.script("COMMIT")
        }
    }

    /// The revisions that an earlier run has left half done.
    private func halted(_ session: MigrationSession) async throws -> Set<String> {
        var ids: Set<String> = []
        for revision in graph.revisions where try await session.halt(of: revision) != nil { ids.insert(revision.id) }
        return ids
    }

    // MARK: Running

    /// - Parameter waits: whether to wait for a primary, where several servers are named.
    func withSession<Value: Sendable>(
        waits: Bool = false, _ body: (MigrationSession) async throws -> Value
    ) async throws -> Value {
        let session = try await connected(until: .now.advanced(by: waits ? options.primaryTimeout : .zero))
        defer { session.connection.close() }
        guard let loop = Loop.current else { preconditionFailure("migrations run on a loop") }
        return try await withTaskCancellationHandler {
            try await body(session)
        } onCancel: {
            Task(executorPreference: loop) { await session.connection.cancel() }
        }
    }

    /// Connects; of several servers, none may be the primary for a while.
    private func connected(until deadline: Instant) async throws -> MigrationSession {
        var hasSaid = false
        while true {
            do { return try await MigrationSession(configuration, options, log: log) } catch let error as PostgresError
                where error.kind == .unreachable && !error.isRefusal && configuration.hasSeveralServers
                && Instant.now < deadline
            {
                if !hasSaid { log("Waiting for a primary: \(error)") }
                hasSaid = true
                try await Loop.current?.sleep(for: .milliseconds(500))
            }
        }
    }

    /// Where the database stands; all of it must have files.
    func known(_ session: MigrationSession) async throws -> Set<String> {
        let versions = try await session.versions()
        _ = try graph.closure(of: versions)
        return versions
    }

    private func run(
        _ direction: MigrationRun.Direction, _ target: String, _ plan: (Set<String>) throws -> [Revision]
    ) async throws {
        log("Context impl PostgresqlImpl.")
        log("Will assume transactional DDL.")
        try await withSession(waits: true) { session in
            let seen = try await known(session)
            try await check(session, seen, try plan(seen), direction, isLocked: false)
            guard try !plan(seen).isEmpty else { return }
            try await session.lock(within: options.lockTimeout, log: log)
            try await session.makeTables()
            // Whoever had the lock may have done it, or something else: all is looked at again.
            let versions = try await known(session)
            if versions != seen, isRelative(target) {
                throw MigrationFailed(
                    "\(target) means another revision now: the database was moved from \(place(seen)) to \(place(versions)) "
                        + "meanwhile. Nothing was done; start again")
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

    /// Whether a target depends on where the database is: `+1`, `-1`, `current-1`.
    private func isRelative(_ target: String) -> Bool {
        target.hasPrefix("+") || target.hasPrefix("-") || target.hasPrefix("current")
    }

    private func place(_ versions: Set<String>) -> String {
        versions.isEmpty ? "base" : versions.sorted().joined(separator: ", ")
    }

    func applied(_ versions: Set<String>) throws -> [Revision] {
        let ids = try graph.closure(of: versions)
        return graph.revisions.filter { ids.contains($0.id) }
    }

    /// Refuses what nobody can have meant.
    /// - Parameter isLocked: whether the lock is held; without it, what looks half done may just be under way.
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
                    "\(revision.file) has a step outside a transaction: --single-transaction cannot hold it")
            }
            if direction == .upgrade { try await session.checkContract(of: revision, in: graph) }
            if isLocked { try await checkHalt(session, revision, section, direction) }
        }
    }

    /// Refuses what an earlier run has left in doubt.
    func checkHalt(
        _ session: MigrationSession, _ revision: Revision, _ section: Revision.Section,
        _ direction: MigrationRun.Direction
    ) async throws {
        guard let halt = try await session.halt(of: revision) else { return }
        guard halt.direction == direction.rawValue else {
            throw MigrationFailed(
                "the \(halt.direction) of \(revision.id) is half done: \(halt.detail). Finish that first, or undo by hand what it did and forget it: "
                    + "aktify db repair")
        }
        guard try await session.isTrue(halt, of: section.statements) else {
            throw MigrationFailed(
                "\(revision.file) is not what was run of it before it stopped: put that back as it was, or undo by hand what it did and "
                    + "forget it: aktify db repair")
        }
        if halt.isCertain || options.runsAgain { return }
        let statement = section.statements.dropFirst(halt.place.statements).first
        if let statement, try await session.leftNoIndex(statement) { return }
        throw MigrationFailed(
            "\(revision.id) failed half-way: \(halt.detail). Undo by hand what that did, and run it again with --again; or undo all "
                + "of it, and forget it: aktify db repair; or say that it is done: aktify db stamp \(revision.id)")
    }

    /// Refuses to undo what a half-done revision builds on.
    private func checkDowngrade(_ session: MigrationSession, _ plan: [Revision]) async throws {
        let undone = Set(plan.map(\.id))
        for id in try await halted(session).subtracting(undone).sorted() {
            guard try !graph.closure(of: [id]).isDisjoint(with: undone) else { continue }
            throw MigrationFailed(
                "\(id) builds on what would be undone, and is half done itself. Finish that first, or undo by hand what it did and forget "
                    + "it: aktify db repair")
        }
    }

    private func checkUpgrade(
        _ session: MigrationSession, _ versions: Set<String>, isLocked: Bool
    ) async throws {
        for revision in try isLocked ? applied(versions) : [] {
            try await checkHalt(session, revision, revision.downgrade, .upgrade)
        }
        let changed = try await session.changed(try applied(versions))
        if let first = changed.first, !options.allowsChanges {
            throw MigrationFailed(
                "\(first.file) was changed after it had been applied. Put it back as it was and write a new revision, or say that the "
                    + "change is harmless: --allow-changed")
        }
    }

    /// Refuses what is marked as a loss, and what nothing can roll back and looks like one; for what stands in a transaction, the catalog
    /// tells later.
    private func checkDataLoss(_ section: Revision.Section, of revision: Revision) throws {
        let statement = section.statements.first {
            $0.dataLoss != nil || $0.isOutside && LintedStatement($0).deletesData
        }
        guard let statement else { return }
        let what = statement.dataLoss ?? "it runs outside a transaction, so that nothing can bring it back"
        throw MigrationFailed(
            "\(revision.file):\(statement.line): this deletes data for good: \(what). Nothing was done. If that is meant: "
                + "--allow-data-loss")
    }
}
