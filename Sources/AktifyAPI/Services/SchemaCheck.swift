/// The revisions that a program knows, and whether it can work with the schema of a database.
public struct SchemaCheck: Sendable {
    /// Where the schema is when all that the program knows is applied.
    public let heads: Set<String>
    /// All that the program knows.
    public let revisions: Set<String>

    /// Makes a check.
    public init(heads: Set<String>, revisions: Set<String>) { (self.heads, self.revisions) = (heads, revisions) }

    /// Where a schema is, as a program sees it.
    public enum State: Hashable, Sendable {
        /// At the heads.
        case current
        /// Past the heads, by revisions that the program does not know and that do not break it.
        case ahead
        /// Before the heads.
        case behind
        /// Past the heads, by revisions that break programs that do not know them: their ids, and why.
        case broken([String: String])
        /// At a revision that the program does not know, nor whether it is past the heads.
        case unknown
    }

    /// Compares what a database says with what the program knows.
    /// - Parameters:
    ///   - versions: the rows of `alembic_version`.
    ///   - applied: all that is applied, as whoever migrated last has written it down, with why it breaks programs, or `""`. Not
    ///     looked at when it does not cover `versions`: then another tool has changed the schema since.
    public func state(versions: Set<String>, applied: [String: String]) -> State {
        if versions == heads { return .current }
        if versions.isSubset(of: revisions) { return .behind }
        let all = Set(applied.keys)
        guard versions.isSubset(of: all), heads.isSubset(of: all) else { return .unknown }
        let breaking = applied.filter { !revisions.contains($0.key) && !$0.value.isEmpty }
        return breaking.isEmpty ? .ahead : .broken(breaking)
    }
}
