/// A causally consistent session of one client: it reads its own writes, also from replicas.
///
/// Sound as `@unchecked Sendable`: it is touched on its loop's thread only.
public final class CausalSession: @unchecked Sendable {
    /// Which servers reads may go to.
    public enum Reads: Sendable {
        /// To the primary only.
        case primary
        /// To the primary, or to a replica when it cannot be reached.
        case primaryPreferred
        /// To a replica that has replayed what the session has written; to the primary when there is none.
        case replicaPreferred
    }

    /// The session of the present task; without one, all reads go to the primary.
    @TaskLocal public static var current: CausalSession?

    /// Which servers reads may go to.
    public let reads: Reads
    /// The position of the client's earlier writes; `nil` when it sends none.
    public let required: WALPosition?
    /// The position of this session's last write; `nil` when there was none.
    public private(set) var written: WALPosition?

    /// The server that the later reads of this session go to, too, so that they see the same.
    enum Server: Equatable {
        case any
        case replica(Int)
        case primary

        var replica: Int? { if case .replica(let index) = self { index } else { nil } }
    }

    var server = Server.any

    /// Makes a session.
    public init(reads: Reads, after required: WALPosition? = nil) { (self.reads, self.required) = (reads, required) }

    /// Notes where a write ends.
    func wrote(_ position: WALPosition) { written = written?.merged(with: position) ?? position }
}
