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
    /// Of rows that are inserted, which one is at fault, from 0; `nil` when it is not known.
    public internal(set) var index: Int?

    /// Makes a violation.
    public init(_ kind: Kind, column: String? = nil, index: Int? = nil) {
        (self.kind, self.column, self.index) = (kind, column, index)
    }
}

extension TableDefinition {
    /// The violation that an error of Postgres's tells of, found by the constraint's name; `nil` when it tells of none.
    /// - Parameter isDeletion: whether rows were to be deleted: then others refer to them, be it others of the same table.
    func violation(_ error: DatabaseError, isDeletion: Bool) -> ConstraintViolation? {
        switch error.state {
        case "23505": ConstraintViolation(.duplicate, column: column(of: error.constraint, "key"))
        case "23503" where isDeletion: ConstraintViolation(.referenced)
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

extension DatabaseError {
    /// The value of the key that the error is about: `Key (email)=(ada@example.org) already exists.`
    fileprivate var keyValue: Substring? {
        guard let detail, let start = detail.firstRange(of: ")=("), let end = detail.ranges(of: ") ").last else {
            return nil
        }
        return start.upperBound <= end.lowerBound ? detail[start.upperBound..<end.lowerBound] : nil
    }
}

extension Array {
    /// The last of these values that gives a column the value which an error is about: an earlier one with the same value may be valid.
    func index<Row>(of column: String, _ error: DatabaseError) -> Int? where Element == ColumnValues<Row> {
        guard let value = error.keyValue else { return nil }
        let reference = ColumnDefinition.quoted(column)
        return lastIndex {
            $0.assignments.contains { $0.column == reference && $0.text?.utf8.elementsEqual(value.utf8) ?? false }
        }
    }
}
