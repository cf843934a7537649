/// The mode of a lock on a table or an index (Postgres manual, chapter 13.3.1), the weakest first.
public enum LockMode: Int, CaseIterable, Comparable, Sendable {
    case accessShare, rowShare, rowExclusive, shareUpdateExclusive, share, shareRowExclusive, exclusive, accessExclusive

    /// Who waits for a session that holds a lock.
    public enum Waiting: Int, Comparable, Sendable {
        case schemaChanges, writers, readersAndWriters

        public static func < (one: Self, other: Self) -> Bool { one.rawValue < other.rawValue }
    }

    /// The mode that `pg_locks` calls so, `AccessShareLock`; `nil` when there is none.
    init?(catalogName: String) {
        let found = LockMode.allCases.first { "\($0.name.filter { $0 != " " })LOCK" == catalogName.uppercased() }
        guard let found else { return nil }
        self = found
    }

    public static func < (one: Self, other: Self) -> Bool { one.rawValue < other.rawValue }

    /// Its name in SQL: `ACCESS SHARE`.
    public var name: String {
        switch self {
        case .accessShare: "ACCESS SHARE"
        case .rowShare: "ROW SHARE"
        case .rowExclusive: "ROW EXCLUSIVE"
        case .shareUpdateExclusive: "SHARE UPDATE EXCLUSIVE"
        case .share: "SHARE"
        case .shareRowExclusive: "SHARE ROW EXCLUSIVE"
        case .exclusive: "EXCLUSIVE"
        case .accessExclusive: "ACCESS EXCLUSIVE"
        }
    }

    /// The modes that nobody else may hold at the same time (Postgres manual, table 13.2).
    var conflicts: Set<LockMode> {
        switch self {
        case .accessShare: [.accessExclusive]
        case .rowShare: [.exclusive, .accessExclusive]
        case .rowExclusive: [.share, .shareRowExclusive, .exclusive, .accessExclusive]
        case .shareUpdateExclusive: [.shareUpdateExclusive, .share, .shareRowExclusive, .exclusive, .accessExclusive]
        case .share: [.rowExclusive, .shareUpdateExclusive, .shareRowExclusive, .exclusive, .accessExclusive]
        case .shareRowExclusive: Set(LockMode.allCases).subtracting([.accessShare, .rowShare])
        case .exclusive: Set(LockMode.allCases).subtracting([.accessShare])
        case .accessExclusive: Set(LockMode.allCases)
        }
    }

    /// Who waits as long as it is held: a SELECT takes ACCESS SHARE, and what writes rows ROW EXCLUSIVE.
    public var waiting: Waiting {
        conflicts.contains(.accessShare)
            ? .readersAndWriters : conflicts.contains(.rowExclusive) ? .writers : .schemaChanges
    }
}
