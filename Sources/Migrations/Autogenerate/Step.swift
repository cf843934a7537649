/// A statement of a generated revision.
struct Step: Hashable, Sendable {
    /// Whether a statement runs inside or outside a transaction.
    enum TransactionMode: String {
        case inside, outside
    }

    /// The comments before the statement.
    var comments: [SQLComment] = []
    /// The SQL, without the semicolon.
    let sql: String
    let mode: TransactionMode

    static func inside(_ sql: String, _ comments: [SQLComment] = []) -> Step {
        Step(comments: comments, sql: sql, mode: .inside)
    }

    static func outside(_ sql: String, _ comments: [SQLComment] = []) -> Step {
        Step(comments: comments, sql: sql, mode: .outside)
    }

    /// The step's lines in the revision file: its comments, and its SQL with a semicolon.
    var lines: [String] { comments.map(\.line) + [sql + ";"] }
}

/// The text of a revision's upgrade or downgrade section, generated stage by stage.
///
/// Within a stage, the steps that run inside a transaction are grouped together, and so are the steps that run outside
/// one. This keeps the number of transactions low.
struct SectionText {
    private var blocks: [String] = []
    private var mode = Step.TransactionMode.inside
    /// The transaction mode set by the last marker in the text (`-- inside transaction` or `-- outside transaction`);
    /// `inside` before the first marker.
    private var marked = Step.TransactionMode.inside

    /// Generates the text.
    /// - Parameter stages: for each stage, the steps of its changes.
    init(_ stages: [[[Step]]]) {
        for stage in stages { add(stage) }
    }

    /// Returns the text. `between` separates the steps of different changes; by default, it is a blank line.
    func text(between: String = "\n\n") -> String { blocks.joined(separator: between) }

    private mutating func add(_ changes: [[Step]]) {
        var rest = changes.map { $0[...] }
        while true {
            for index in rest.indices {
                let steps = rest[index].prefix { $0.mode == mode }
                rest[index] = rest[index].dropFirst(steps.count)
                add(steps)
            }
            guard rest.contains(where: { !$0.isEmpty }) else { return }
            mode = mode == .inside ? .outside : .inside
        }
    }

    private mutating func add(_ steps: ArraySlice<Step>) {
        guard !steps.isEmpty else { return }
        let mark = marked == mode ? [] : [SQLComment("\(mode.rawValue) transaction").line]
        marked = mode
        blocks.append((mark + steps.flatMap(\.lines)).joined(separator: "\n"))
    }
}
