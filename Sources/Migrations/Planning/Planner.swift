import EventLoop
import Postgres
import SQL

/// Finds out what an upgrade would do to a database that is in use.
///
/// The pending statements are run in a scratch database that is like the real one, with a row in each table; in the real database only sizes,
/// locks and rows are looked at.
public struct Planner: Sendable {
    private let graph: RevisionGraph
    private let configuration: PostgresConfiguration

    /// Makes a planner for the configured database.
    public init(graph: RevisionGraph, configuration: PostgresConfiguration) {
        (self.graph, self.configuration) = (graph, configuration)
    }

    /// Plans an upgrade to a target; a plan without revisions when nothing is pending.
    /// - Throws: `RevisionGraph.Broken`, `PostgresError`, and `MigrationFailed` when no scratch database can be made, or when the upgrade
    ///   would refuse to go on with what is half done.
    public func plan(to target: String = "head") async throws -> MigrationPlan {
        let migrator = Migrator(graph: graph, configuration: configuration) { _ in }
        let (versions, pending) = try await migrator.pending(to: target)
        guard !pending.isEmpty else { return MigrationPlan() }
        let live = try await LiveDatabase(configuration)
        defer { live.close() }
        var replica = Replica(graph: graph, configuration: configuration, targets: versions.sorted())
        replica.isHalfway = pending.contains { !$0.place.isStart }
        let doubt = try await live.catalog() == nil ? try await lockedOut(of: live) : nil
        replica.isByRevisionsAlone = doubt != nil
        if let doubt, replica.isHalfway {
            throw MigrationFailed("\(doubt). What a half-done revision has done is not seen then")
        }
        var plan = try await replica.with { try await self.plan(pending, in: $0, live) }
        plan.doubt = doubt
        return plan
    }

    /// Why the database's definitions cannot be read.
    private func lockedOut(of live: LiveDatabase) async throws -> String {
        let holders = try await live.lockHolders().filter { $0.mode == .accessExclusive }
        let names = holders.isEmpty ? "a session that has ended meanwhile" : holders.map(\.text).joined(separator: ", ")
        return "the database is planned for as its revisions say, since its definitions could not be read for \(names)"
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
        // What all databases share, and a transaction that is still open has changed, is as it was before.
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
            for place in planned.statements.indices {
                planned.statements[place].findings = findings[planned.statements[place].line] ?? []
                planned.statements[place].findHolders(among: holders)
            }
            plan.revisions.append(planned)
            guard plan.problem == nil else { return plan }
            try await observer.reset()
        }
        return plan
    }

    /// Statements of one transaction, up to the one that fails, if one does.
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
        if let doubt { try await planned[doubt.observations.count].take(doubt, live) }
        if let failure {
            planned.append(PlannedStatement(segment[planned.count]))
            planned[planned.count - 1].failure = failure.text
        }
        return planned
    }

    /// What a statement runs in batches by; `nil` when it runs at once.
    private func key(of statement: Revision.Statement, _ observer: StatementObserver) async throws -> BatchKey? {
        guard let batches = statement.batches else { return nil }
        return try await observer.connection.batchKey(of: batches)
    }

    /// Observes statements; on empty tables, when the rows are in their way.
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

    private func estimate(_ plan: inout MigrationPlan, in scratch: PostgresConfiguration) async throws {
        let bytes = plan.statements.flatMap(\.effects).compactMap { plan.sizes[$0.table]?.bytes }.reduce(0, +)
        let speeds = bytes > 1_000_000 ? try await Calibration.speeds(in: scratch) : .slow
        for revision in plan.revisions.indices {
            for place in plan.revisions[revision].statements.indices {
                let effects = plan.revisions[revision].statements[place].effects
                plan.revisions[revision].statements[place].duration = speeds.duration(of: effects, plan.sizes)
            }
        }
    }
}

extension StatementObserver.Failure {
    /// `23502: column "n" of relation "one" contains null values`
    fileprivate var text: String { error.state.map { "\($0): \(error.message)" } ?? error.message }
}

extension PlannedStatement {
    /// Takes it that the statement failed where there were rows. A column that must not be NULL and has no default fails with any row; the
    /// rest depends on the rows.
    fileprivate mutating func take(_ doubt: StatementObserver.Failure, _ live: LiveDatabase) async throws {
        self.doubt = "run on empty tables, since it fails on rows that were made up: \(doubt.text)"
        guard doubt.error.state == "23502" else { return }
        for lock in locks where lock.mode == .accessExclusive {
            if try await live.hasRows(lock.relation) { (failure, self.doubt) = (doubt.text, nil) }
        }
    }

    /// Finds the sessions that it would have to wait for.
    mutating func findHolders(among holders: [LockHolder]) {
        let words = LintedWords(sql)
        // CONCURRENTLY also waits for those who write, and to take an index out of use for those who read, too.
        let isConcurrent = isOutside && words.has("concurrently")
        let awaited: LockMode? = !isConcurrent ? nil : words.begins("create") ? .share : .accessExclusive
        waitsFor = holders.filter { holder in
            guard let mode = holder.mode else { return false }
            return locks.telling.contains { lock in
                lock.relation == holder.relation
                    && lock.mode.conflicts.union(awaited?.conflicts ?? []).contains(mode)
            }
        }
        // A new index must not lack what an older snapshot sees; to drop one, or to detach, needs no more than its lockers' end.
        guard isConcurrent, words.begins("create|reindex"), failure == nil else { return }
        let told = Set(waitsFor.map(\.pid))
        waitsFor += holders.filter { $0.mode == nil && !told.contains($0.pid) }
    }
}
