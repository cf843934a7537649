import Web

/// Worst-case request bodies of 1 MiB, used to measure how long a single request can block the event loop.
enum LargeBodies {
    private static let size = 1 << 20

    /// The bodies, each with a name for the report.
    static let all: [(name: String, body: [UInt8])] = [
        ("spaces around a name", text(#"{"name":"\#(String(repeating: " ", count: size - 20))a  "}"#)),
        ("three-byte white space around a name", repeated(#"{"name":""#, "\u{3000}", #"a"}"#)),
        ("combining characters", repeated(#"{"name":"a"#, "\u{301}", #""}"#)),
        ("combining characters in a member's name", repeated(#"{"a"#, "\u{301}\u{323}", #"":1}"#)),
        ("one long description", repeated(#"{"name":"a","description":""#, "x", #""}"#)),
        ("a description of three-byte characters", repeated(#"{"name":"a","description":""#, "€", #""}"#)),
        ("a description of escapes", repeated(#"{"name":"a","description":""#, #"\u20ac"#, #""}"#)),
        ("a description of short escapes", repeated(#"{"name":"a","description":""#, #"\n"#, #""}"#)),
        ("a description of surrogate pairs", repeated(#"{"name":"a","description":""#, #"\ud83d\ude00"#, #""}"#)),
        ("200,000 unknown members", members(200_000, "")),
        ("9,000 unknown members with long names", members(9000, String(repeating: "\u{301}", count: 50))),
        (
            "9,000 members with the same name",
            repeated(#"{"name":"a""#, #","\#(String(repeating: "é", count: 53))":1"#, "}")
        ),
        ("a wide array", repeated(#"{"name":["#, "1,", "1]}")),
        (
            "a wide array of 9,000 strings",
            repeated(#"{"name":["#, #""\#(String(repeating: "x", count: 110))","#, "1]}")
        ),
        (
            "deep arrays",
            repeated("[", String(repeating: "[", count: 60) + String(repeating: "]", count: 60) + ",", "1]")
        ),
        ("one long number", repeated(#"{"name":"#, "1", "}")),
        ("white space between tokens", repeated(#"{"name":"#, " ", "1}")),
        ("an invalid UTF-8 byte at the end", repeated(#"{"name":""#, "€", "") + [0xff]),
    ]

    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func repeated(_ start: String, _ unit: String, _ end: String) -> [UInt8] {
        let count = (size - start.utf8.count - end.utf8.count) / unit.utf8.count
        return text(start + String(repeating: unit, count: count) + end)
    }

    private static func members(_ count: Int, _ suffix: String) -> [UInt8] {
        text("{" + (0..<count).map { #""\#($0)\#(suffix)":1"# }.joined(separator: ",").prefix(size) + "}")
    }
}
