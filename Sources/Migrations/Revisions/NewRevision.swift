import Glibc

/// A revision that is to be written.
public struct NewRevision: Sendable {
    /// What it is for.
    public var message: String
    /// Its id: 12 random hexadecimal digits, unless given.
    public var id: String
    /// What it builds on.
    public var parents: [String]
    /// The SQL of its two sections.
    public var upgrade: String
    public var downgrade: String
    /// Why programs that do not know it cannot work with the schema, if so.
    public var breaking: String?
    /// What was squashed into it.
    var replacement = Replacement()
    /// When it was made: now, unless given.
    var created: String?

    /// Makes one that does nothing yet.
    public init(
        message: String, id: String? = nil, parents: [String], upgrade: String = "", downgrade: String = "",
        breaking: String? = nil
    ) {
        self.message = message.split(whereSeparator: \.isNewline).joined(separator: " ").stripped
        self.id = id ?? NewRevision.randomID()
        (self.parents, self.upgrade, self.downgrade) = (parents, upgrade, downgrade)
        self.breaking = breaking?.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    private static func randomID() -> String {
        let digits = String(UInt64.random(in: 0..<(1 << 48)), radix: 16)
        return String(repeating: "0", count: 12 - digits.utf8.count) + digits
    }

    /// The file's name: `1a104f2ef8fa_add_description.sql`.
    public var fileName: String { slug.isEmpty ? "\(id).sql" : "\(id)_\(slug).sql" }

    /// The message in lower case and ASCII, with `_` for all that is no letter or digit, cut at 40 characters between words.
    private var slug: String {
        var words = ""
        for scalar in message.lowercased().unicodeScalars {
            let letters = scalar.asASCII
            if letters.isEmpty, scalar.properties.generalCategory == .nonspacingMark { continue }
            if !letters.isEmpty { words += letters } else if !words.isEmpty, words.last != "_" { words.append("_") }
        }
        if words.last == "_" { words.removeLast() }
        guard words.count > 40 else { return words }
        let cut = words.prefix(40)
        return String(words.dropFirst(40).first == "_" ? cut : cut.lastIndex(of: "_").map { cut[..<$0] } ?? cut)
    }

    /// The file's text.
    public var text: String {
        """
        \(SQLComment(message).line)
        --
        -- Revision ID: \(id)
        -- Revises:\(parents.isEmpty ? "" : " " + parents.joined(separator: ", "))
        \(replacement.header)-- Create Date: \(created ?? NewRevision.now)

        -- upgrade
        \(breaking.map { SQLComment("breaking: \($0)").line + "\n" } ?? "")
        \(upgrade.isEmpty ? "" : upgrade + "\n\n")-- downgrade
        \(downgrade.isEmpty ? "" : "\n" + downgrade + "\n")
        """
    }

    /// The present moment in UTC, to the second.
    private static var now: String {
        var (time, parts) = (time(nil), tm())
        gmtime_r(&time, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S", &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension Unicode.Scalar {
    /// A small letter or a digit without its accent, by its name in Unicode; nothing for all else.
    fileprivate var asASCII: String {
        if isASCII { return properties.isAlphabetic || properties.numericType != nil ? String(self) : "" }
        guard self != "ß" else { return "ss" }
        // LATIN SMALL LETTER R WITH CARON, LATIN SMALL LETTER DOTLESS I, LATIN SMALL LETTER AE
        let words = (properties.name ?? "").split(separator: " ").prefix { $0 != "WITH" }
        guard words.starts(with: ["LATIN", "SMALL", "LETTER"]), let letter = words.last, letter.count <= 2 else {
            return ""
        }
        return letter.lowercased()
    }
}
