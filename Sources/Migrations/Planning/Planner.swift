import EventLoop
import Postgres
import SQL

/// Predicts the effects of an upgrade on a database in use.
///
/// The pending statements are run in a scratch database with the same schema and a row in each table. The real
/// database is only read: its schema, sizes, locks and row counts.
public struct Planner: Sendable {
    private let graph: RevisionGraph
    private let configuration: PostgresConfiguration

    /// Creates a planner for the configured database.
    public init(graph: RevisionGraph, configuration: PostgresConfiguration) {
        (self.graph, self.configuration) = (graph, configuration)
    }

    /// Plans an upgrade to a target. The plan has no revisions if nothing is pending.
    /// - Throws: `RevisionGraph.GraphError`, `PostgresError`; `MigrationFailed` if there can be no plan, for example
    ///   because a revision is in progress, or because the upgrade would refuse to resume an incomplete revision.
    public func plan(to target: String = "head") async throws -> MigrationPlan {
        let migrator = Migrator(graph: graph, configuration: configuration) { _ in }
        let (versions, pending) = try await migrator.pending(to: target)
        guard !pending.isEmpty else { return MigrationPlan() }
        let live = try await LiveDatabase(configuration)
        defer { live.close() }
        var copy = SchemaCopy(graph: graph, configuration: configuration, targets: versions.sorted())
        copy.hasIncompleteRevision = pending.contains { !$0.position.isStart }
        let doubt = try await live.catalog() == nil ? try await lockedOut(of: live) : nil
        copy.usesRevisionsOnly = doubt != nil
        if let doubt, copy.hasIncompleteRevision {
            throw MigrationFailed("\(doubt). The effects of an incomplete revision cannot be seen then")
        }
        var plan = try await copy.with { try await self.plan(pending, in: $0, live) }
        plan.doubt = doubt
        return plan
    }

    /// Returns the reason why the plan is based on the revisions alone, with the sessions that have locked tables.
    private func lockedOut(of live: LiveDatabase) async throws -> String {
        let holders = try await live.lockHolders().filter { $0.mode == .accessExclusive }
        let names = holders.isEmpty ? "a session that has ended meanwhile" : holders.map(\.text).joined(separator: ", ")
        return "the plan is based on the revisions alone, since the database's definitions are locked by \(names)"
    }

    private func plan(
        _ pending: [PendingRevision], in scratch: PostgresConfiguration, _ live: LiveDatabase
    ) async throws -> MigrationPlan {
        guard let loop = Loop.current else { preconditionFailure("a plan is made on a loop") }
        let observer = try await StatementObserver(scratch)
        defer { observer.connection.close() }
        var plan = try await withTaskCancellationHandler {
            try await observed(pending, by: observer, live)
        } onCancel: {
            Task(executorPreference: loop) { await observer.connection.cancel() }
        }
        // A transaction that has changed shared catalogs is still open. Closing the connection rolls the transaction
        // back.
        observer.connection.close()
        try await estimate(&plan, in: scratch)
        return plan
    }

    private func observed(
        _ pending: [PendingRevision], by observer: StatementObserver, _ live: LiveDatabase
    ) async throws -> MigrationPlan {
        var observer = observer
        let holders = try await live.lockHolders() + live.snapshots()
        var plan = MigrationPlan()
        for next in pending {
            try Task.checkCancellation()
            try await observer.fill()
            let revision = next.revision
            var planned = PlannedRevision(id: revision.id, message: revision.message, file: revision.file)
            (planned.resumption, planned.obstacle) = (next.resumption, next.obstacle)
            for segment in next.segments where !planned.statements.contains(where: { $0.failure != nil }) {
                planned.statements += try await statements(segment, &observer, &plan.sizes, live)
            }
            let findings = Dictionary(grouping: Lint.findings(in: revision), by: \.line)
            for index in planned.statements.indices {
                planned.statements[index].findings = findings[planned.statements[index].line] ?? []
                planned.statements[index].findHolders(among: holders)
            }
            plan.revisions.append(planned)
            guard plan.problem == nil else { return plan }
            try await observer.reset()
        }
        return plan
    }

    /// Plans the statements of one transaction. The statements after one that fails are omitted, unless the failure is
    /// only due to the sample rows.
    private func statements(
        _ segment: [Revision.Statement], _ observer: inout StatementObserver, _ sizes: inout [String: RelationSize],
        _ live: LiveDatabase
    ) async throws -> [PlannedStatement] {
        let key = try await key(of: segment[0], observer)
        if let problem = segment[0].batches.flatMap({ key?.problem(with: $0) }) {
            var refused = PlannedStatement(segment[0])
            refused.failure = problem
            return [refused]
        }
        let (observations, failure, doubt) = try await observations(of: segment, &observer)
        var planned: [PlannedStatement] = []
        for (statement, observation) in zip(segment, observations) {
            var new = PlannedStatement(statement)
            (new.locks, new.effects, new.doubt) = (observation.locks, observation.effects, observation.doubt)
            new.isObserved = observation.doubt == nil
            new.hasUniqueKey = key?.isUnique ?? true
            for name in Set(new.locks.map(\.relation) + new.effects.map(\.table)) where sizes[name] == nil {
                sizes[name] = try await live.size(of: name)
            }
            for loss in observation.losses {
                if let loss = try await live.planned(loss, by: statement.sql) { new.losses.append(loss) }
            }
            if let tables = observation.mayDelete { new.losses.append(PlannedLoss(mayDeleteFrom: tables)) }
            planned.append(new)
        }
        if let doubt {
            let index = doubt.observations.count
            try await planned[index].recordSampleFailure(doubt, of: segment[index], live)
        }
        if let failure {
            planned.append(PlannedStatement(segment[planned.count]))
            planned[planned.count - 1].failure = failure.text
        }
        return planned
    }

    /// Returns the batch key of a statement; `nil` if the statement does not run in batches.
    private func key(of statement: Revision.Statement, _ observer: StatementObserver) async throws -> BatchKey? {
        guard let batches = statement.batches else { return nil }
        return try await observer.connection.batchKey(of: batches)
    }

    /// Observes statements. If one fails because of the sample rows, empties the tables, and observes the statements
    /// again.
    /// - Returns: The observations; with a `failure`, only those of the statements before the failed one. `doubt` is a
    ///   failure that occurred with the sample rows, but not with empty tables.
    private func observations(
        of segment: [Revision.Statement], _ observer: inout StatementObserver
    ) async throws -> (
        observations: [Observation], failure: StatementObserver.Failure?, doubt: StatementObserver.Failure?
    ) {
        var doubt: StatementObserver.Failure?
        while true {
            do { return (try await observer.observe(segment), nil, doubt) } catch let failure
                as StatementObserver.Failure
            {
                try Task.checkCancellation()
                guard doubt == nil, failure.isAboutRows, try await observer.clear() else {
                    return (try await observer.observe(before: failure, in: segment), failure, nil)
                }
                doubt = failure
            }
        }
    }

    /// Sets the estimated durations. The server's speeds are measured only if the affected tables exceed 1 MB in total.
    private func estimate(_ plan: inout MigrationPlan, in scratch: PostgresConfiguration) async throws {
        let bytes = plan.statements.flatMap(\.effects).compactMap { plan.sizes[$0.table]?.bytes }.reduce(0, +)
        let speeds = bytes > 1_000_000 ? try await Calibration.speeds(in: scratch) : .slow
        for revision in plan.revisions.indices {
            for index in plan.revisions[revision].statements.indices {
                let effects = plan.revisions[revision].statements[index].effects
                plan.revisions[revision].statements[index].duration = speeds.duration(of: effects, plan.sizes)
            }
        }
    }
}

extension StatementObserver.Failure {
    /// The SQLSTATE and the message: `23502: column "n" of relation "one" contains null values`.
    fileprivate var text: String { error.state.map { "\($0): \(error.message)" } ?? error.message }
}

extension PlannedStatement {
    /// Records a failure on sample rows in `doubt`, since the real rows may not cause the failure. For a new NOT NULL
    /// column without a default, the failure is certain if the real table has rows, and is recorded in `failure`.
    fileprivate mutating func recordSampleFailure(
        _ doubt: StatementObserver.Failure, of statement: Revision.Statement, _ live: LiveDatabase
    ) async throws {
        self.doubt = "run on empty tables, since it fails on sample rows: \(doubt.text)"
        // A new column without values is NULL in every row; an existing one may be NULL in sample rows only.
        let added = LintedStatement(statement).addedColumns.compactMap { $0.first?.filter { $0 != "\"" } }
        guard doubt.error.state == "23502", let column = doubt.error.column, added.contains(column) else { return }
        for lock in locks where lock.mode == .accessExclusive {
            if try await live.hasRows(lock.relation) { (failure, self.doubt) = (doubt.text, nil) }
        }
    }

    /// Sets `waitsFor` to the sessions among `holders` for which the statement would have to wait.
    mutating func findHolders(among holders: [LockHolder]) {
        let words = LintedWords(sql)
        // CONCURRENTLY also waits for writers, and DROP INDEX and DETACH also for readers.
        let isConcurrent = isOutside && words.has("concurrently")
        let awaited: LockMode? = !isConcurrent ? nil : words.begins("create") ? .share : .accessExclusive
        waitsFor = holders.filter { holder in
            guard let mode = holder.mode else { return false }
            return locks.significant.contains { lock in
                lock.relation == holder.relation
                    && lock.mode.conflicts.union(awaited?.conflicts ?? []).contains(mode)
            }
        }
        // A new index must contain all rows that an older snapshot sees; dropping and detaching only wait for
        // lock holders.
        guard isConcurrent, words.begins("create|reindex"), failure == nil else { return }
        let known = Set(waitsFor.map(\.pid))
        waitsFor += holders.filter { $0.mode == nil && !known.contains($0.pid) }
    }
}
