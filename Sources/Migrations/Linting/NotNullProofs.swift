/// The columns that a valid check of the same revision says are never NULL: SET NOT NULL reads no rows then.
struct NotNullProofs {
    private struct Name: Hashable {
        let table: String?
        let name: String
    }

    /// The columns of checks that are there, but may not have been validated, by the check's name.
    private var checks: [Name: String] = [:]
    private var columns: Set<Name> = []

    /// Takes note of what a statement adds and validates.
    mutating func take(_ statement: LintedStatement) {
        for action in statement.actions {
            if let check = action.behind("add constraint"), let name = check.first,
                let condition = check.behind("* check")?.inner, let column = condition.first,
                condition.behind("* is not null").map({ $0.first == nil }) == true
            {
                checks[Name(table: statement.table, name: name)] = column
            }
            if let name = action.behind("validate constraint")?.first,
                let column = checks[Name(table: statement.table, name: name)]
            {
                columns.insert(Name(table: statement.table, name: column))
            }
        }
    }

    /// Whether a column of a table is proved to have no NULL.
    func hold(_ column: String, of table: String?) -> Bool { columns.contains(Name(table: table, name: column)) }
}
