/// An excess or missing privilege of a role.
public struct RightsFinding: Hashable, Sendable {
    /// Who can fix a finding, and when.
    public enum Remedy: String, Sendable {
        /// The owner can fix the finding at any time: no program can depend on the current state.
        case safe
        /// The owner can fix the finding once no older program runs that may need the privilege.
        case exact
        /// Only a superuser can fix the finding.
        case superuser
    }

    /// A description of the excess or missing privilege.
    public let problem: String
    /// The statement that fixes the finding.
    public let statement: String
    /// Who can fix the finding, and when.
    public let remedy: Remedy
}

extension RightsFinding: CustomStringConvertible {
    /// The problem and the statement, on one line.
    public var description: String { "\(problem): \(statement);" }

    /// Decodes a row of a query; `nil` if it is malformed.
    init?(_ row: [String]) {
        guard row.count == 3, let remedy = Remedy(rawValue: row[0]) else { return nil }
        self.init(problem: row[1], statement: row[2], remedy: remedy)
    }
}
