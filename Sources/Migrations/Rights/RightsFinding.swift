/// A difference between the rights that a role has and those that it needs.
public struct RightsFinding: Hashable, Sendable {
    /// Who may mend it, and when.
    public enum Mending: String, Sendable {
        /// The owner, at any time: no program can need it otherwise.
        case safe
        /// The owner, once no older program runs that may need what is taken away.
        case exact
        /// A superuser.
        case superuser
    }

    /// What is too much or too little.
    public let problem: String
    /// The statement that mends it.
    public let statement: String
    /// Who may mend it, and when.
    public let mending: Mending
}

extension RightsFinding: CustomStringConvertible {
    /// One line.
    public var description: String { "\(problem): \(statement);" }

    init?(_ row: [String]) {
        guard row.count == 3, let mending = Mending(rawValue: row[0]) else { return nil }
        self.init(problem: row[1], statement: row[2], mending: mending)
    }
}
