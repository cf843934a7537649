/// A statement of a generated revision, and where it runs.
struct Step: Hashable, Sendable {
    /// Where a statement runs.
    enum Place: String {
        case inside, outside
    }

    /// The comments that stand before it.
    var comments: [SQLComment] = []
    /// The statement without its semicolon.
    let sql: String
    let place: Place

    static func inside(_ sql: String, _ comments: [SQLComment] = []) -> Step {
        Step(comments: comments, sql: sql, place: .inside)
    }

    static func outside(_ sql: String, _ comments: [SQLComment] = []) -> Step {
        Step(comments: comments, sql: sql, place: .outside)
    }

    /// Its lines in a file.
    var lines: [String] { comments.map(\.line) + [sql + ";"] }
}

/// The text of a section, made stage by stage.
///
/// What of a stage's changes runs inside a transaction comes together, and so does what runs outside: so there are few transactions.
struct SectionText {
    private var blocks: [String] = []
    private var place = Step.Place.inside
    /// Where what follows runs, as far as the text says.
    private var marked = Step.Place.inside

    /// Writes stages, each with the steps of its changes.
    init(_ stages: [[[Step]]]) {
        for stage in stages { add(stage) }
    }

    /// The text, with a blank line between changes, unless told otherwise.
    func text(between: String = "\n\n") -> String { blocks.joined(separator: between) }

    private mutating func add(_ changes: [[Step]]) {
        var rest = changes.map { $0[...] }
        while true {
            for index in rest.indices {
                let steps = rest[index].prefix { $0.place == place }
                rest[index] = rest[index].dropFirst(steps.count)
                add(steps)
            }
            guard rest.contains(where: { !$0.isEmpty }) else { return }
            place = place == .inside ? .outside : .inside
        }
    }

    private mutating func add(_ steps: ArraySlice<Step>) {
        guard !steps.isEmpty else { return }
        let mark = marked == place ? [] : [SQLComment("\(place.rawValue) transaction").line]
        marked = place
        blocks.append((mark + steps.flatMap(\.lines)).joined(separator: "\n"))
    }
}
