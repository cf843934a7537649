/// Worst-case strings of 1 MiB to escape: a client may have stored any of them, and the event loop serializes it
/// without interruption.
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
