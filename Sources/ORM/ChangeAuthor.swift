import SQL

/// Who changes rows, and by which request: what the records of the changes say.
public struct ChangeAuthor: Hashable, Sendable {
    /// The client; `nil` when it has not authenticated.
    public let name: String?
    /// The request's id, which has no space in it.
    public let requestID: String

    /// Makes an author.
    public init(name: String?, requestID: String) { (self.name, self.requestID) = (name, requestID) }

    /// The author of the present task's changes; without one, records name the role of the connection.
    @TaskLocal public static var current: ChangeAuthor?

    /// Tells the triggers who changes rows, until the transaction ends. It returns no columns.
    var statement: Statement {
        Statement(unsafe: "SELECT FROM set_config('aktify.author', $1, true)", requestID + " " + (name ?? ""))
    }
}
