/// An `UPDATE` or a `DELETE` that runs in batches: ranges of a key column, each with a limited number of rows.
struct BatchedStatement: Hashable, Sendable {
    /// The comment that makes a statement run in batches: `-- batches of 5000 by id`.
    struct Marker: Hashable {
        /// The number of rows per batch.
        let size: Int
        /// The key column, as a quoted or unquoted SQL identifier.
        let key: String

        /// Parses the comment; `nil` if it is malformed.
        init?(_ line: String) {
            guard let match = line.firstMatch(of: /^-- batches of ([1-9]\d{0,6}) by (\w+|"(?:[^"]|"")+")$/),
                let size = Int(match.1)
            else { return nil }
            (self.size, key) = (size, String(match.2))
        }
    }

    /// Why a statement cannot run in batches.
    struct Unsupported: Error { let reason: String }

    /// The number of rows per batch.
    let size: Int
    /// The key column, as an SQL identifier.
    let key: String
    /// The table, as an SQL identifier, qualified if the statement qualifies it.
    let table: String
    /// The alias by which the statement refers to the table; the table's name if it has none.
    private let alias: String
    /// The statement up to its `WHERE` keyword.
    private let head: String
    /// The condition after its `WHERE` keyword, if there is one.
    private let condition: String?

    /// Parses the statement at a byte range of a file.
    /// - Throws: `Unsupported` if it is no `UPDATE` or `DELETE`, has a `RETURNING` clause or changes the key column.
    init(_ bytes: [UInt8], _ range: Range<Int>, _ marker: Marker) throws(Unsupported) {
        let text = StatementText(bytes, range)
        guard let target = text.target else {
            throw Unsupported(reason: "only an UPDATE or a DELETE of one table runs in batches")
        }
        if text.range(of: "returning") != nil {
            throw Unsupported(reason: "a statement that runs in batches cannot have a RETURNING clause")
        }
        if text.assigns(marker.key) {
            throw Unsupported(reason: "batches by \(marker.key) would not end: it changes \(marker.key)")
        }
        (size, key, table, alias) = (marker.size, marker.key, target.table, target.alias)
        let whereRange = text.range(of: "where")
        head = text[text.start..<(whereRange?.lowerBound ?? text.end)]
        condition = whereRange.map { text[$0.upperBound..<text.end] }
    }

    /// The query for the greatest key of the table, at which the last batch ends. The query returns no row when the
    /// table is empty.
    var endQuery: String {
        "SELECT aktify_key::text FROM (SELECT \(key) AS aktify_key FROM \(table) ORDER BY \(key) DESC LIMIT 1) aktify_end"
    }

    /// The query for the last key of the next batch and the number of rows in that batch. The query returns no row when
    /// no rows are left.
    /// - Parameters:
    ///   - low: the last key of the previous batch, as an SQL expression; `nil` for the first batch.
    ///   - end: the greatest key to process, as an SQL expression.
    func boundQuery(after low: String?, to end: String) -> String {
        let behind = low.map { "\(key) > \($0) AND " } ?? ""
        let keys =
            "SELECT \(key) AS aktify_key FROM \(table) WHERE \(behind)\(key) <= \(end) ORDER BY \(key) LIMIT \(size)"
        let rows = "SELECT count(*) FROM \(table) WHERE \(behind)\(key) <= aktify_piece.aktify_key"
        return
            "SELECT aktify_key::text, (\(rows))::text FROM (\(keys)) aktify_piece ORDER BY aktify_piece.aktify_key DESC LIMIT 1"
    }

    /// The statement restricted to the keys greater than `low` (if any) and not greater than `high`; both are SQL
    /// expressions.
    func statement(after low: String?, to high: String) -> String {
        let range = (low.map { ["\(alias).\(key) > \($0)"] } ?? []) + ["\(alias).\(key) <= \(high)"]
        let conditions = (condition.map { ["(\($0)\n)"] } ?? []) + range
        return "\(head)\nWHERE \(conditions.joined(separator: " AND "))"
    }

    /// A `DO` block that runs all batches and commits after each, for offline scripts. The block must run outside a
    /// transaction.
    var doBlock: String {
        """
        DO $aktify_batches$
        DECLARE
            aktify_low \(table).\(key)%TYPE;
            aktify_high \(table).\(key)%TYPE;
            aktify_end \(table).\(key)%TYPE;
        BEGIN
            SELECT \(key) INTO aktify_end FROM \(table) ORDER BY \(key) DESC LIMIT 1;
            LOOP
                SELECT \(key) INTO aktify_high FROM (SELECT \(key) FROM \(table) \
        WHERE (aktify_low IS NULL OR \(key) > aktify_low) AND \(key) <= aktify_end ORDER BY \(key) LIMIT \(size)) piece ORDER BY 1 DESC LIMIT 1;
                EXIT WHEN NOT FOUND;
                IF aktify_low IS NULL THEN
                    \(statement(after: nil, to: "aktify_high"));
                ELSE
                    \(statement(after: "aktify_low", to: "aktify_high"));
                END IF;
                COMMIT;
                aktify_low := aktify_high;
            END LOOP;
        END
        $aktify_batches$
        """
    }
}

/// A statement's tokens without comments, each with its nesting depth in parentheses and brackets.
private struct StatementText {
    private let bytes: [UInt8]
    private let tokens: [(word: String, range: Range<Int>, depth: Int)]

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        var depth = 0
        tokens = SQLLexer(bytes, in: range).filter { !$0.isComment }.map { token in
            let text = String(decoding: bytes[token.range], as: UTF8.self)
            if token.kind == .symbol, text == ")" || text == "]" { depth -= 1 }
            defer { if token.kind == .symbol, text == "(" || text == "[" { depth += 1 } }
            return (token.kind == .word ? text.lowercased() : text, token.range, depth)
        }
    }

    var start: Int { tokens.first?.range.lowerBound ?? 0 }
    var end: Int { tokens.last?.range.upperBound ?? 0 }

    subscript(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self).stripped }

    /// The byte range of the first occurrence of a word outside parentheses.
    func range(of word: String) -> Range<Int>? { tokens.first { $0.depth == 0 && $0.word == word }?.range }

    /// The table that the statement changes, and its alias in the statement; `nil` if it is no `UPDATE` or `DELETE`.
    var target: (table: String, alias: String)? {
        var rest = tokens.map(\.word)[...]
        switch rest.popFirst() {
        case "update": break
        case "delete" where rest.popFirst() == "from": break
        default: return nil
        }
        if rest.first == "only" { rest.removeFirst() }
        guard var table = rest.popFirst() else { return nil }
        while rest.first == ".", rest.count > 1 { table += "." + rest.removeFirst(2) }
        if rest.first == "*" { rest.removeFirst() }
        if rest.first == "as" { rest.removeFirst() }
        let isAliased = rest.first.map { !["set", "where", "using"].contains($0) } ?? false
        return (table, isAliased ? rest[rest.startIndex] : table)
    }

    /// Whether the `SET` clause assigns a value to the column.
    func assigns(_ column: String) -> Bool {
        let name = column.hasPrefix("\"") ? column : "\"\(column.lowercased())\""
        var (isTarget, previous) = (true, "")
        for token in tokens.drop(while: { $0.word != "set" || $0.depth > 0 }).dropFirst() {
            defer { previous = token.word }
            // IS DISTINCT FROM is an operator.
            let isEnd = token.word == "where" || token.word == "from" && previous != "distinct"
            if token.depth == 0, isEnd { return false }
            if isTarget, token.word == name || "\"\(token.word)\"" == name { return true }
            if token.word == "=", token.depth == 0 { isTarget = false }
            if token.word == ",", token.depth == 0 { isTarget = true }
        }
        return false
    }
}

extension ArraySlice<String> {
    /// Removes the first `count` elements.
    /// - Returns: The last removed element.
    fileprivate mutating func removeFirst(_ count: Int) -> String {
        defer { self = dropFirst(count) }
        return self[startIndex + count - 1]
    }
}
