/// The mode of a lock on a table or an index (PostgreSQL manual, section 13.3.1), from the weakest to the strongest.
public enum LockMode: Int, CaseIterable, Comparable, Sendable {
    /// The lock modes, in the order of the manual.
    case accessShare, rowShare, rowExclusive, shareUpdateExclusive, share, shareRowExclusive, exclusive, accessExclusive

    /// The kind of sessions that wait for the holder of a lock.
    public enum Waiting: Int, Comparable, Sendable {
        /// Sessions that change schemas, write rows, or read rows; each case includes the ones before it.
        case schemaChanges, writers, readersAndWriters

        public static func < (one: Self, other: Self) -> Bool { one.rawValue < other.rawValue }
    }

    /// Parses the name of a mode in `pg_locks`, such as `AccessShareLock`; `nil` for other names.
    init?(catalogName: String) {
        let found = LockMode.allCases.first { "\($0.name.filter { $0 != " " })LOCK" == catalogName.uppercased() }
        guard let found else { return nil }
        self = found
    }

    public static func < (one: Self, other: Self) -> Bool { one.rawValue < other.rawValue }

    /// The name in SQL, such as `ACCESS SHARE`.
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

    /// The modes that conflict with this one (PostgreSQL manual, table 13.2).
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

    /// Which sessions wait while the lock is held. SELECT takes ACCESS SHARE; statements that write rows take ROW
    /// EXCLUSIVE.
    public var waiting: Waiting {
        conflicts.contains(.accessShare)
            ? .readersAndWriters : conflicts.contains(.rowExclusive) ? .writers : .schemaChanges
    }
}
