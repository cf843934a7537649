/// The statements that begin or end a transaction: in a revision they would undo the promise that all of it is applied or none.
enum SQLTransactionControl {
    /// Why a statement is refused that is one of them, and where it begins behind its comments.
    static func refusal(of bytes: [UInt8], in range: Range<Int>) -> (offset: Int, reason: String)? {
        let tokens = Array(
            SQLLexer(bytes, in: range).lazy.filter { !$0.isComment }.prefix { $0.kind == .word }.prefix(3))
        let words = tokens.map { String(decoding: bytes[$0.range], as: UTF8.self).uppercased() }
        guard let first = tokens.first, let name = name(of: words) else { return nil }
        return (
            first.range.lowerBound,
            "\(name) does not belong here, each revision is a transaction: leave it out, and put -- outside transaction before "
                + "what cannot run in one"
        )
    }

    /// What it is called; going back to a savepoint is none of them.
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
