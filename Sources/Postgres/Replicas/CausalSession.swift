/// A causally consistent session of one client, whose reads see the client's earlier writes, even on replicas.
///
/// `@unchecked Sendable` is sound because a session is used only on the thread of its event loop.
public final class CausalSession: @unchecked Sendable {
    /// The servers that a session prefers for reads.
    public enum Reads: Sendable {
        /// The primary only.
        case primary
        /// The primary, or a replica when the primary cannot be reached.
        case primaryPreferred
        /// A replica that has replayed the client's earlier writes, or the primary when there is no such replica.
        case replicaPreferred
    }

    /// The causal session of the current task; if `nil`, all reads are sent to the primary.
    @TaskLocal public static var current: CausalSession?

    /// The servers that the session prefers for reads.
    public let reads: Reads
    /// The WAL position of the client's earlier writes and of this session's own, which a replica must have replayed;
    /// `nil` if the client sent no position and the session has not written.
    public private(set) var required: WALPosition?
    /// The WAL position after the session's last write; `nil` if the session has not written. A write that the server
    /// rejected counts as well, because the client has learned of the rows that caused the rejection.
    public private(set) var written: WALPosition?

    /// The server that a session is pinned to, so that its reads see the same data; `any` before the first read.
    enum Server: Equatable {
        case any
        case replica(Int)
        case primary

        var replica: Int? { if case .replica(let index) = self { index } else { nil } }
    }

    /// The server that the session is pinned to for its next read.
    var server = Server.any

    /// Creates a session that has not written yet; `required` is the WAL position of the client's earlier writes.
    public init(reads: Reads, after required: WALPosition? = nil) { (self.reads, self.required) = (reads, required) }

    /// Records the WAL position of a write.
    func wrote(_ position: WALPosition) {
        written = written?.merged(with: position) ?? position
        required = required?.merged(with: position) ?? position
    }
}
