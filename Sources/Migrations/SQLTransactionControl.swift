/// The statements that begin or end a transaction: in a revision they would undo the promise that all of it is applied or none.
enum SQLTransactionControl {
    /// The words of a statement that is one of them; going back to a savepoint is none.
    static func words(of bytes: [UInt8], in range: Range<Int>) -> String? {
        let words = SQLLexer(bytes, in: range).lazy.filter { !$0.isComment }.prefix { $0.kind == .word }.prefix(3)
            .map { String(decoding: bytes[$0.range], as: UTF8.self).uppercased() }
        let second = words.dropFirst().first
        switch words.first {
        case "BEGIN", "END", "ABORT": return words.first
        case "COMMIT": return second == "PREPARED" ? "COMMIT PREPARED" : "COMMIT"
        case "ROLLBACK": return words.contains("TO") ? nil : second == "PREPARED" ? "ROLLBACK PREPARED" : "ROLLBACK"
        case "START" where second == "TRANSACTION": return "START TRANSACTION"
        case "PREPARE" where second == "TRANSACTION": return "PREPARE TRANSACTION"
        default: return nil
        }
    }

    static func refusal(of words: String) -> String {
        "\(words) does not belong here, each revision is a transaction: leave it out, and put -- outside transaction before what "
            + "cannot run in one"
    }
}
