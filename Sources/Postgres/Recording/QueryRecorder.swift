import Synchronization

/// Holds the statements of one request, or of one test, in the order in which they ended.
///
/// `QueryRecorder.$current.withValue(recorder) { … }` has it hold what runs in there, in child tasks too.
public final class QueryRecorder: Sendable {
    /// The recorder of the present task.
    @TaskLocal public static var current: QueryRecorder?

    private let entries = Mutex<[ExecutedStatement]>([])

    /// Makes one that holds nothing yet.
    public init() {}

    /// What was recorded.
    public var statements: [ExecutedStatement] { entries.withLock { $0 } }

    /// Adds a statement.
    public func record(_ statement: ExecutedStatement) { entries.withLock { $0.append(statement) } }

    /// Time in the database, waiting for a connection included.
    public var elapsed: Duration { statements.reduce(.zero) { $0 + $1.waiting + $1.executing } }

    /// Statements of one text that were run three times or more: most likely one for each row of another.
    public var repeated: [[ExecutedStatement]] {
        Dictionary(grouping: statements, by: \.statement.text).values.filter { $0.count >= 3 }
    }
}
