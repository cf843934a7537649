/// The revisions that a program knows, used to check whether the program is compatible with the schema of a database.
public struct SchemaCheck: Sendable {
    /// The head revisions that the program knows, which are the current revisions of the schema after an upgrade.
    public let heads: Set<String>
    /// All revisions that the program knows.
    public let revisions: Set<String>

    /// Creates a check from the revisions that the program knows.
    public init(heads: Set<String>, revisions: Set<String>) { (self.heads, self.revisions) = (heads, revisions) }

    /// The state of a schema in relation to a program.
    public enum State: Hashable, Sendable {
        /// The schema is at the program's heads.
        case current
        /// The schema has newer revisions, which the program does not know, but with which the program is compatible.
        case ahead
        /// The schema lacks revisions that the program knows.
        case behind
        /// The schema has newer revisions that break programs which do not know them. The associated value maps the ID
        /// of each such revision to the reason.
        case broken([String: String])
        /// The schema is at a revision that the program does not know, and that might not descend from the
        /// program's heads.
        case unknown
    }

    /// Compares the state of a database with the revisions that the program knows.
    /// - Parameters:
    ///   - versions: the rows of `alembic_version`.
    ///   - applied: all applied revisions, as the last migration recorded them, each with the reason why the revision
    ///     breaks older programs, or `""` when it does not. The argument is ignored when it does not contain all
    ///     `versions`, since another tool has then changed the schema.
    public func state(versions: Set<String>, applied: [String: String]) -> State {
        if versions == heads { return .current }
        if versions.isSubset(of: revisions) { return .behind }
        let all = Set(applied.keys)
        guard versions.isSubset(of: all), heads.isSubset(of: all) else { return .unknown }
        let breaking = applied.filter { !revisions.contains($0.key) && !$0.value.isEmpty }
        return breaking.isEmpty ? .ahead : .broken(breaking)
    }
}
