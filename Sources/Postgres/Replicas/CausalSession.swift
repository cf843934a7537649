/// A causally consistent session of one client, which reads its own writes, also from replicas.
///
/// Sound as `@unchecked Sendable`: it is used only on its loop's thread.
public final class CausalSession: @unchecked Sendable {
    /// The preference for the servers that reads are sent to.
    public enum Reads: Sendable {
        /// The primary only.
        case primary
        /// The primary, or a replica when the primary cannot be reached.
        case primaryPreferred
        /// A replica that has replayed the session's writes, or the primary when there is none.
        case replicaPreferred
    }

    /// The session of the current task; without one, all reads are sent to the primary.
    @TaskLocal public static var current: CausalSession?

    /// The servers that reads are sent to.
    public let reads: Reads
    /// The WAL position of the client's earlier writes; `nil` if the client sent none.
    public let required: WALPosition?
    /// The WAL position of this session's last write; `nil` if there was none.
    public private(set) var written: WALPosition?

    /// The server that the session is pinned to, so that its later reads see the same data.
    enum Server: Equatable {
        case any
        case replica(Int)
        case primary

        var replica: Int? { if case .replica(let index) = self { index } else { nil } }
    }

    /// The server for the session's next read.
    var server = Server.any

    /// Creates a session.
    public init(reads: Reads, after required: WALPosition? = nil) { (self.reads, self.required) = (reads, required) }

    /// Records the WAL position of a write.
    func wrote(_ position: WALPosition) { written = written?.merged(with: position) ?? position }
}
