import Glibc

/// A revision to be written to a new file.
public struct NewRevision: Sendable {
    /// A short description of the change.
    public var message: String
    /// The revision's id; by default 12 random hexadecimal digits.
    public var id: String
    /// The ids of the revisions that this one revises.
    public var parents: [String]
    /// The SQL of the upgrade section.
    public var upgrade: String
    /// The SQL of the downgrade section.
    public var downgrade: String
    /// Why programs that do not know the revision cannot work with the upgraded schema; `nil` if they can.
    public var breaking: String?
    /// The revisions that were squashed into this one.
    var replacement = Replacement()
    /// The creation date for the header; `nil` for the current time.
    var created: String?

    /// Creates a revision whose sections are empty unless SQL is given.
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

    /// The file's name, such as `1a104f2ef8fa_add_description.sql`.
    public var fileName: String { slug.isEmpty ? "\(id).sql" : "\(id)_\(slug).sql" }

    /// The message in lower-case ASCII, with `_` for everything but letters and digits, truncated to 40 characters at a
    /// word boundary.
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

    /// The contents of the revision file.
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

    /// The current UTC time, to the second.
    private static var now: String {
        var (time, parts) = (time(nil), tm())
        gmtime_r(&time, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S", &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension Unicode.Scalar {
    /// The ASCII equivalent of a lower-case Latin letter or an ASCII digit, such as `e` for `é` and `ae` for `æ`; an
    /// empty string for other characters.
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
