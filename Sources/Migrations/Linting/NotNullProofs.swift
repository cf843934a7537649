/// The columns that a validated check of the same revision proves to contain no NULL, so that SET NOT NULL scans no
/// rows.
struct NotNullProofs {
    private struct Name: Hashable {
        let table: String?
        let name: String
    }

    /// The column of each NOT NULL check added so far, validated or not, by the names of the table and the check.
    private var checks: [Name: String] = [:]
    private var columns: Set<Name> = []

    /// Records the NOT NULL checks that a statement adds, validates or drops. After VALIDATE CONSTRAINT, the check's
    /// column is proved to contain no NULL, until the check is dropped.
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
