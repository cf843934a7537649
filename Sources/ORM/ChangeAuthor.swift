import SQL

/// The author of changes and the request that makes the changes, as stored in change records.
public struct ChangeAuthor: Hashable, Sendable {
    /// The name of the authenticated client; `nil` for an anonymous one.
    public let name: String?
    /// The request id, which must not contain a space.
    public let requestID: String

    /// Creates an author from the client's name and the request id.
    public init(name: String?, requestID: String) { (self.name, self.requestID) = (name, requestID) }

    /// The author of the current task's changes; if `nil`, the author in change records is the connection's role.
    @TaskLocal public static var current: ChangeAuthor?

    /// The statement that sets the author of changes until the end of the transaction, for the triggers that record the
    /// changes. The statement's result has no columns.
    var statement: Statement {
        Statement(unsafe: "SELECT FROM set_config('aktify.author', $1, true)", requestID + " " + (name ?? ""))
    }
}
