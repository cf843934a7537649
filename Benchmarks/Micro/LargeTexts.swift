/// Worst-case strings of 1 MiB, used to measure how long the JSON serialization of a stored string can block the event
/// loop.
enum LargeTexts {
    private static let size = 1 << 20

    /// The strings, each with a name for the report.
    static let all: [(name: String, text: String)] = [
        ("plain characters", repeated("x")),
        ("characters escaped to six bytes", repeated("\u{7f}")),
        ("two-byte characters", repeated("é")),
        ("three-byte characters", repeated("€")),
        ("surrogate pairs", repeated("😀")),
        ("short escapes", repeated("\n")),
        ("quotes between plain characters", repeated("x\"")),
        ("characters of every length", repeated("x\u{7f}é\n€yz😀\"")),
    ]

    private static func repeated(_ unit: String) -> String { String(repeating: unit, count: size / unit.utf8.count) }
}
