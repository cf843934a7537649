/// What an upgrade would do to a database that is in use, statement by statement.
public struct MigrationPlan: Sendable {
    /// The pending revisions, in order, up to one that fails.
    public var revisions: [PlannedRevision] = []
    /// The size of each table and index that is locked, by its name.
    public var sizes: [String: RelationSize] = [:]
    /// Why the database may be other than it was planned for; `nil` when it was read.
    public var doubt: String?

    /// The statement that fails, with its file and line; `nil` when none does.
    public var problem: String? {
        for revision in revisions {
            for statement in revision.statements {
                if let failure = statement.failure { return "\(revision.file):\(statement.line): \(failure)" }
            }
        }
        return nil
    }

    /// All statements.
    var statements: [PlannedStatement] { revisions.flatMap(\.statements) }
}

/// The size of a table or an index in the database.
public struct RelationSize: Hashable, Sendable {
    /// Its bytes, without those of its indexes.
    public var bytes: Int64
    /// The bytes of its indexes.
    public var indexBytes: Int64 = 0
    /// How many indexes it has.
    public var indexes: Int64 = 0
    /// About how many rows it has; `nil` for an index, and for a table that was never analyzed.
    public var rows: Int64?
}

/// A pending revision.
public struct PlannedRevision: Sendable {
    /// Its id.
    public let id: String
    /// What it is for.
    public let message: String
    /// Its file.
    public let file: String
    /// Where it goes on; `nil` when nothing of it is done.
    public var resumption: PlannedResumption?
    /// Why it would be refused now: programs are connected that need what it takes away; `nil` when none is.
    public var obstacle: String?
    /// The statements that are left of it, in order.
    public var statements: [PlannedStatement] = []
}

/// Where a half-done revision goes on.
public struct PlannedResumption: Hashable, Sendable {
    /// The line of the statement that it goes on with; `nil` when all of them are done.
    public let line: Int?
    /// The key up to which that statement's batches are done; `nil` when none is.
    public let key: String?
    /// How many rows lie before that key.
    public let rows: Int64
}

/// A statement of a pending revision.
public struct PlannedStatement: Sendable {
    /// The SQL.
    public let sql: String
    /// The line of the file that it begins on.
    public let line: Int
    /// Whether it runs outside a transaction.
    public let isOutside: Bool
    /// The batches in which it runs: `5000 rows by id`; `nil` when it runs at once.
    public let batches: String?
    /// Whether each row has another key, so that no batch has more rows than it says.
    public var hasUniqueKey = true
    /// The strongest lock that it takes on each table and index that is in use.
    public var locks: [PlannedLock] = []
    /// What it does to them.
    public var effects: [PlannedEffect] = []
    /// About how long that takes; `nil` when it reads and writes no table whose size is known.
    public var duration: Duration?
    /// Whether it was run in the scratch database, so that what it does was seen.
    public var isObserved = true
    /// The sessions that it would have to wait for now.
    public var waitsFor: [LockHolder] = []
    /// The data at stake.
    public var losses: [PlannedLoss] = []
    /// What lint says.
    public var findings: [Lint.Finding] = []
    /// Why it was run on empty tables, or not at all, so that it may do something else.
    public var doubt: String?
    /// Why it fails.
    public var failure: String?
    /// Whether how long it takes depends on more than sizes.
    private let hasOpenDuration: Bool

    init(_ statement: Revision.Statement) {
        (sql, line, isOutside) = (statement.sql, statement.line, statement.isOutside)
        batches = statement.batches.map { "\($0.size) rows by \($0.key)" }
        hasOpenDuration = LintedWords(statement.sql).hasOpenDuration
    }
}

/// A lock that a statement takes.
public struct PlannedLock: Hashable, Sendable {
    /// The table or index.
    public let relation: String
    /// The mode.
    public let mode: LockMode
    /// The table of an index; `nil` for a table.
    public var table: String?
}

/// What a statement does to a table that is in use.
public enum PlannedEffect: Hashable, Sendable {
    /// All of it is written anew, with its indexes.
    case rewrites(String)
    /// All rows go, unread.
    case truncates(String)
    /// All of it is read so many times.
    case scans(String, times: Int)
    /// An index is built on it, which reads all of it.
    case builds(index: String, on: String)
    /// Rows of it are updated or deleted, and locked.
    case changesRows(String)

    /// The table.
    public var table: String {
        switch self {
        case .rewrites(let table), .truncates(let table), .scans(let table, _), .builds(_, let table),
            .changesRows(let table):
            table
        }
    }
}

/// Data that a statement takes away.
public struct PlannedLoss: Hashable, Sendable {
    /// What is lost, with the number of rows.
    public let text: String
    /// The number of rows or values; `nil` when it is not known.
    public let rows: Int64?
    /// Whether the number is an estimate.
    public let isEstimate: Bool
}

extension PlannedLoss {
    /// Makes one of rows that a block, a function or a query may delete.
    init(mayDeleteFrom tables: [String]) {
        let text = tables.isEmpty ? "may delete rows" : "may delete rows of \(tables.joined(separator: ", "))"
        self.init(text: "\(text) (their number is not known)", rows: nil, isEstimate: true)
    }
}

/// A session that holds a lock or a snapshot in the database now.
public struct LockHolder: Hashable, Sendable {
    /// The server process; `nil` for a prepared transaction.
    public let pid: Int32?
    /// The role, or what kind of process it is.
    public let user: String
    /// Its `application_name`.
    public let application: String
    /// `active`, `idle in transaction` and so on.
    public let state: String
    /// How many seconds ago its transaction began.
    public let age: Int64
    /// The table or index; `nil` of a snapshot.
    public let relation: String?
    /// The mode that it holds; `nil` of a snapshot.
    public let mode: LockMode?
}

extension PlannedRevision {
    /// A lock that is held longer than for its statement: until its transaction ends.
    public struct Hold: Hashable, Sendable {
        /// The table or index, and the strongest mode.
        public let lock: PlannedLock
        /// About how long, from the statement that takes it first to the end of the transaction; `nil` when that is not known.
        public let duration: Duration?
    }

    /// The locks that make readers or writers wait until a transaction of several statements ends.
    public var holds: [Hold] {
        statements.transactions(without: \.isOutside).filter { $0.count > 1 }.flatMap { statements -> [Hold] in
            let locks = statements.flatMap(\.locks).strongest.telling.filter { $0.mode.waiting > .schemaChanges }
            return locks.map { lock in
                let rest = statements.drop { !$0.locks.contains { $0.relation == lock.relation } }
                let estimates = rest.compactMap(\.estimate)
                return Hold(lock: lock, duration: estimates.count < rest.count ? nil : estimates.reduce(.zero, +))
            }
        }
    }
}

extension [PlannedLock] {
    /// Those that say something: not the ones on indexes of tables that are locked as strongly.
    var telling: [PlannedLock] {
        filter { lock in !contains { $0.relation == lock.table && $0.mode >= lock.mode } }
    }

    /// The strongest of each relation, the strongest first.
    var strongest: [PlannedLock] {
        Dictionary(grouping: self, by: \.relation).values.compactMap { $0.max { $0.mode < $1.mode } }
            .sorted { ($1.mode, $0.relation) < ($0.mode, $1.relation) }
    }
}

extension PlannedStatement {
    /// The strongest of its locks tells who waits for it; `nil` when it takes none.
    public var waiting: LockMode.Waiting? { locks.map(\.mode.waiting).max() }

    /// About how long it takes in all, zero when that is a moment whatever the sizes; `nil` when it is not known.
    public var estimate: Duration? {
        guard isObserved, failure == nil, !hasOpenDuration else { return nil }
        let isShort = effects.allSatisfy { if case .truncates = $0 { true } else { false } }
        return duration ?? (isShort ? .zero : nil)
    }
}
