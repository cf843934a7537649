/// The predicted effects of an upgrade on a database in use, statement by statement.
public struct MigrationPlan: Sendable {
    /// The pending revisions in order, up to and including one that fails.
    public var revisions: [PlannedRevision] = []
    /// The sizes of the locked tables and indexes, by name.
    public var sizes: [String: RelationSize] = [:]
    /// Why the plan may be based on a schema that differs from the database's; `nil` if the database's schema was read.
    public var doubt: String?

    /// The error of the statement that fails, with its file and line; `nil` if none fails.
    public var problem: String? {
        for revision in revisions {
            for statement in revision.statements {
                if let failure = statement.failure { return "\(revision.file):\(statement.line): \(failure)" }
            }
        }
        return nil
    }

    /// The statements of all revisions.
    var statements: [PlannedStatement] { revisions.flatMap(\.statements) }
}

/// The size of a table or an index.
public struct RelationSize: Hashable, Sendable {
    /// The number of bytes, without indexes; 0 for a partitioned table.
    public var bytes: Int64
    /// The number of bytes of the table's indexes.
    public var indexBytes: Int64 = 0
    /// The number of the table's indexes.
    public var indexes: Int64 = 0
    /// The estimated number of rows; `nil` for an index, a partitioned table, and a table that was never analyzed.
    public var rows: Int64?
}

/// A pending revision with its predicted effects.
public struct PlannedRevision: Sendable {
    /// The revision's id.
    public let id: String
    /// The revision's message.
    public let message: String
    /// The path of the revision's file.
    public let file: String
    /// The position at which the revision resumes; `nil` if it starts at its beginning.
    public var resumption: PlannedResumption?
    /// Why the upgrade would refuse the revision now; `nil` if it would not. A revision with `-- contract of REV` is
    /// refused while programs are connected that do not know the revision REV.
    public var obstacle: String?
    /// The remaining statements of the revision, in order.
    public var statements: [PlannedStatement] = []
}

/// The position at which an incomplete revision resumes.
public struct PlannedResumption: Hashable, Sendable {
    /// The line of the next statement; `nil` if all statements are completed.
    public let line: Int?
    /// The last key of the next statement's completed batches; `nil` if there are none.
    public let key: String?
    /// The number of rows in the completed batches.
    public let rows: Int64
}

/// A statement of a pending revision, with its predicted effects.
public struct PlannedStatement: Sendable {
    /// The SQL.
    public let sql: String
    /// The number of the file's line at which the statement begins.
    public let line: Int
    /// Whether the statement runs outside a transaction.
    public let isOutside: Bool
    /// How the statement runs in batches, such as `5000 rows by id`; `nil` if it does not.
    public let batches: String?
    /// Whether the batch key is unique, so that no batch has more rows than specified.
    public var hasUniqueKey = true
    /// The strongest lock that the statement takes on each table and index of the database.
    public var locks: [PlannedLock] = []
    /// The statement's effects on the tables of the database.
    public var effects: [PlannedEffect] = []
    /// The sum of the estimated durations of the `effects`; `nil` if no effect's duration can be estimated.
    public var duration: Duration?
    /// Whether the statement was run in the scratch database, so that its effects were observed.
    public var isObserved = true
    /// The sessions for which the statement would have to wait if it ran now.
    public var waitsFor: [LockHolder] = []
    /// The data that the statement would delete.
    public var losses: [PlannedLoss] = []
    /// The lint findings.
    public var findings: [Lint.Finding] = []
    /// Why the actual effects may differ from the predicted ones: the statement was run on empty tables, or not at all.
    public var doubt: String?
    /// The error with which the statement fails; `nil` if it succeeds.
    public var failure: String?
    /// Whether the statement's duration depends on more than the sizes of tables.
    private let hasUnpredictableDuration: Bool

    init(_ statement: Revision.Statement) {
        (sql, line, isOutside) = (statement.sql, statement.line, statement.isOutside)
        batches = statement.batches.map { "\($0.size) rows by \($0.key)" }
        hasUnpredictableDuration = LintedWords(statement.sql).hasUnpredictableDuration
    }
}

/// A lock that a statement takes on a table or an index.
public struct PlannedLock: Hashable, Sendable {
    /// The name of the table or index.
    public let relation: String
    /// The lock mode.
    public let mode: LockMode
    /// The name of the index's table; `nil` if the relation is a table.
    public var table: String?
}

/// An effect of a statement on an existing table.
public enum PlannedEffect: Hashable, Sendable {
    /// The table and its indexes are rewritten.
    case rewrites(String)
    /// The table is truncated: all rows are removed without a scan.
    case truncates(String)
    /// The whole table is read, `times` times.
    case scans(String, times: Int)
    /// An index is built, which reads the whole table.
    case builds(index: String, on: String)
    /// Rows are updated or deleted, and locked.
    case changesRows(String)

    /// The affected table.
    public var table: String {
        switch self {
        case .rewrites(let table), .truncates(let table), .scans(let table, _), .builds(_, let table),
            .changesRows(let table):
            table
        }
    }
}

/// Data that a statement would delete.
public struct PlannedLoss: Hashable, Sendable {
    /// A description, with the number of rows or values if it is known.
    public let text: String
    /// The number of rows or values; `nil` if it is unknown.
    public let rows: Int64?
    /// Whether the number is an estimate.
    public let isEstimate: Bool
}

extension PlannedLoss {
    /// Creates the loss of an unknown number of rows that a DO block, a function or a query may delete. `tables` is
    /// empty if the tables are unknown.
    init(mayDeleteFrom tables: [String]) {
        let text = tables.isEmpty ? "may delete rows" : "may delete rows of \(tables.joined(separator: ", "))"
        self.init(text: "\(text) (their number is not known)", rows: nil, isEstimate: true)
    }
}

/// A session that currently holds a lock or a snapshot.
public struct LockHolder: Hashable, Sendable {
    /// The process ID of the session's server process; `nil` for a prepared transaction.
    public let pid: Int32?
    /// The session's role, the type of a background process, or `prepared transaction`.
    public let user: String
    /// The session's `application_name`, or the identifier of a prepared transaction.
    public let application: String
    /// The session's state: `active`, `idle in transaction` and so on.
    public let state: String
    /// The age of the transaction, in seconds.
    public let age: Int64
    /// The locked table or index; `nil` for a snapshot.
    public let relation: String?
    /// The lock mode; `nil` for a snapshot.
    public let mode: LockMode?
}

extension PlannedRevision {
    /// A lock that is held until the end of a transaction with several statements.
    public struct Hold: Hashable, Sendable {
        /// The table or index, with the strongest mode.
        public let lock: PlannedLock
        /// The estimated time from the first statement whose lock on the relation blocks readers or writers to the end
        /// of the transaction; `nil` if it is unknown.
        public let duration: Duration?
    }

    /// The locks that block readers or writers until a transaction of several statements ends.
    public var holds: [Hold] {
        statements.transactions(without: \.isOutside).filter { $0.count > 1 }.flatMap { statements -> [Hold] in
            let locks = statements.flatMap(\.locks).strongest.significant.filter(\.blocks)
            return locks.map { lock in
                let rest = statements.drop { !$0.locks.contains { $0.relation == lock.relation && $0.blocks } }
                let estimates = rest.compactMap(\.estimate)
                return Hold(lock: lock, duration: estimates.count < rest.count ? nil : estimates.reduce(.zero, +))
            }
        }
    }
}

extension PlannedLock {
    /// Whether readers or writers wait while the lock is held.
    fileprivate var blocks: Bool { mode.waiting > .schemaChanges }
}

extension [PlannedLock] {
    /// The locks without those on indexes whose tables are locked at least as strongly.
    var significant: [PlannedLock] {
        filter { lock in !contains { $0.relation == lock.table && $0.mode >= lock.mode } }
    }

    /// The strongest lock on each relation, sorted from the strongest to the weakest.
    var strongest: [PlannedLock] {
        Dictionary(grouping: self, by: \.relation).values.compactMap { $0.max { $0.mode < $1.mode } }
            .sorted { ($1.mode, $0.relation) < ($0.mode, $1.relation) }
    }
}

extension PlannedStatement {
    /// Which sessions wait while the statement's strongest lock is held; `nil` if the statement takes no lock.
    public var waiting: LockMode.Waiting? { locks.map(\.mode.waiting).max() }

    /// The estimated duration of the whole statement; zero if the statement is short whatever the sizes of the tables,
    /// `nil` if the duration is unknown.
    public var estimate: Duration? {
        guard isObserved, failure == nil, !hasUnpredictableDuration else { return nil }
        let isShort = effects.allSatisfy { if case .truncates = $0 { true } else { false } }
        return duration ?? (isShort ? .zero : nil)
    }
}
