import SQL

/// The author of changes and the request that makes them, as stored in change records.
public struct ChangeAuthor: Hashable, Sendable {
    /// The authenticated client; `nil` for an anonymous one.
    public let name: String?
    /// The request id, which must not contain a space.
    public let requestID: String

    /// Creates an author.
    public init(name: String?, requestID: String) { (self.name, self.requestID) = (name, requestID) }

    /// The author of the current task's changes. Without one, change records contain the connection's role.
    @TaskLocal public static var current: ChangeAuthor?

    /// The statement that sets the author for the triggers until the end of the transaction. Its result has no columns.
    var statement: Statement {
        Statement(unsafe: "SELECT FROM set_config('aktify.author', $1, true)", requestID + " " + (name ?? ""))
    }
}
