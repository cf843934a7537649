import Synchronization

/// Records the statements of one request or one test, in the order of their completion.
///
/// `QueryRecorder.$current.withValue(recorder) { … }` records the statements executed in the closure and its child
/// tasks.
public final class QueryRecorder: Sendable {
    /// The recorder of the current task.
    @TaskLocal public static var current: QueryRecorder?

    private let entries = Mutex<[ExecutedStatement]>([])

    /// Creates an empty recorder.
    public init() {}

    /// The recorded statements.
    public var statements: [ExecutedStatement] { entries.withLock { $0 } }

    /// Records a statement.
    public func record(_ statement: ExecutedStatement) { entries.withLock { $0.append(statement) } }

    /// The sum of the statements' durations, including the time spent waiting for a connection.
    public var elapsed: Duration { statements.reduce(.zero) { $0 + $1.waiting + $1.executing } }

    /// The statements whose text was executed three times or more, grouped by text. Most likely each group is an N+1
    /// query: one statement for each row that another statement returned.
    public var repeated: [[ExecutedStatement]] {
        Dictionary(grouping: statements, by: \.statement.text).values.filter { $0.count >= 3 }
    }
}
