/// Statements that begin or end a transaction, which would break the atomicity of a revision, and DISCARD.
enum SQLTransactionControl {
    /// Returns the reason for rejecting a DISCARD or a statement that controls transactions, and the statement's offset
    /// after preceding comments; `nil` for other statements.
    static func refusal(of bytes: [UInt8], in range: Range<Int>) -> (offset: Int, reason: String)? {
        let tokens = Array(
            SQLLexer(bytes, in: range).lazy.filter { !$0.isComment }.prefix { $0.kind == .word }.prefix(3))
        let words = tokens.map { String(decoding: bytes[$0.range], as: UTF8.self).uppercased() }
        guard let first = tokens.first, let name = name(of: words) else { return nil }
        return (
            first.range.lowerBound,
            "\(name) is not allowed, since each revision runs in a transaction: remove it, and put -- outside "
                + "transaction before statements that cannot run in one"
        )
    }

    /// Returns the name of the command if it is DISCARD or controls transactions; `nil` for other statements, and for
    /// ROLLBACK TO SAVEPOINT.
    private static func name(of words: [String]) -> String? {
        let second = words.dropFirst().first
        switch words.first {
        case "BEGIN", "END", "ABORT": return words.first
        case "COMMIT": return second == "PREPARED" ? "COMMIT PREPARED" : "COMMIT"
        case "ROLLBACK": return words.contains("TO") ? nil : second == "PREPARED" ? "ROLLBACK PREPARED" : "ROLLBACK"
        case "START" where second == "TRANSACTION": return "START TRANSACTION"
        case "PREPARE" where second == "TRANSACTION": return "PREPARE TRANSACTION"
        case "DISCARD": return "DISCARD"
        default: return nil
        }
    }
}
