import Postgres
import SQL

/// A constraint of the table's that a change would have violated: nothing was changed.
public struct ConstraintViolation: Error, Hashable {
    /// What is wrong.
    public enum Kind: Hashable, Sendable {
        /// Another row has this value, of a column whose values must differ.
        case duplicate
        /// No row of the other table has this value.
        case missingReference
        /// The value is not what it must be.
        case check
        /// There must be a value.
        case missingValue
        /// Rows of other tables refer to this row.
        case referenced
    }

    /// What is wrong.
    public let kind: Kind
    /// The column's name; `nil` when it is not known.
    public let column: String?

    /// Makes a violation.
    public init(_ kind: Kind, column: String? = nil) { (self.kind, self.column) = (kind, column) }
}

extension TableDefinition {
    /// The violation that an error of Postgres's tells of, found by the constraint's name; `nil` when it tells of none.
    func violation(_ error: DatabaseError) -> ConstraintViolation? {
        switch error.state {
        case "23505": ConstraintViolation(.duplicate, column: column(of: error.constraint, "key"))
        case "23503":
            column(of: error.constraint, "fkey").map { ConstraintViolation(.missingReference, column: $0) }
                ?? ConstraintViolation(.referenced)
        case "23514": ConstraintViolation(.check, column: column(of: error.constraint, "check"))
        case "23502": ConstraintViolation(.missingValue, column: error.column)
        default: nil
        }
    }

    /// The column of a constraint that Postgres has named: `lead_email_key`, `lead_score_check1`.
    private func column(of constraint: String?, _ kind: String) -> String? {
        guard let constraint else { return nil }
        return columns.first { column in
            let name = "\(self.name)_\(column.name)_\(kind)"
            return constraint.hasPrefix(name) && constraint.dropFirst(name.count).allSatisfy(\.isNumber)
        }?.name
    }
}
