/// What one client has written, and so has to see: causal consistency between a primary and its replicas.
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
    /// What the client has written before; `nil` when it does not say.
    public let required: WALPosition?
    /// Where the last write of this session ends; `nil` when there was none.
    public private(set) var written: WALPosition?

    /// The replica that has answered a read of this session: the later ones go to the same, so that they fit together.
    var replica: Int?
    /// Whether a read had to go to the primary: then the later ones do, too.
    var staysAtPrimary = false

    /// Makes a session.
    public init(reads: Reads, after required: WALPosition? = nil) { (self.reads, self.required) = (reads, required) }

    /// Notes where a write ends.
    func wrote(_ position: WALPosition) { written = written?.merged(with: position) ?? position }
}
