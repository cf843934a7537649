/// The columns that a validated check of the same revision proves to contain no NULL, so that SET NOT NULL scans no
/// rows.
struct NotNullProofs {
    private struct Name: Hashable {
        let table: String?
        let name: String
    }

    /// The columns of the checks added so far, by the check's name; they may not be validated yet.
    private var checks: [Name: String] = [:]
    private var columns: Set<Name> = []

    /// Records the NOT NULL checks that a statement adds. If the statement validates a recorded check, its column is
    /// recorded as proved.
    mutating func record(_ statement: LintedStatement) {
        for action in statement.actions {
            if let check = action.droppingPrefix("add constraint"), let name = check.first,
                let condition = check.droppingPrefix("* check")?.inner, let column = condition.first,
                condition.droppingPrefix("* is not null").map({ $0.first == nil }) == true
            {
                checks[Name(table: statement.table, name: name)] = column
            }
            if let name = action.droppingPrefix("validate constraint")?.first,
                let column = checks[Name(table: statement.table, name: name)]
            {
                columns.insert(Name(table: statement.table, name: column))
            }
            if let name = action.droppingPrefix("drop constraint [if] [exists]")?.first,
                let column = checks.removeValue(forKey: Name(table: statement.table, name: name))
            {
                columns.remove(Name(table: statement.table, name: column))
            }
        }
    }

    /// Whether a column is proved to contain no NULL.
    func prove(_ column: String, of table: String?) -> Bool { columns.contains(Name(table: table, name: column)) }
}
