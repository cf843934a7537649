/// Texts of 1 MiB, each the worst of its kind to escape: a client may have stored any of them, and the loop writes it in one go.
enum LargeTexts {
    private static let size = 1 << 20

    static let all: [(name: String, text: String)] = [
        ("plain characters", repeated("x")),
        ("characters of six bytes", repeated("\u{7f}")),
        ("two-byte characters", repeated("é")),
        ("three-byte characters", repeated("€")),
        ("pairs", repeated("😀")),
        ("short escapes", repeated("\n")),
        ("quotes between plain characters", repeated("x\"")),
        ("characters of every length", repeated("x\u{7f}é\n€yz😀\"")),
    ]

    private static func repeated(_ unit: String) -> String { String(repeating: unit, count: size / unit.utf8.count) }
}
