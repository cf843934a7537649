import Postgres
import SQL

/// The error for a change that would have violated a constraint of the table. Nothing was changed.
public struct ConstraintViolation: Error, Hashable {
    /// The kind of violation.
    public enum Kind: Hashable, Sendable {
        /// Another row has the same value in a unique column.
        case duplicate
        /// The row that a foreign key references does not exist.
        case missingReference
        /// The value violates a CHECK constraint.
        case check
        /// The value is NULL in a NOT NULL column.
        case missingValue
        /// The row is still referenced by other rows.
        case referenced
    }

    /// The kind of violation.
    public let kind: Kind
    /// The name of the column; `nil` for `referenced`, and if the name cannot be derived from the constraint's name.
    public let column: String?
    /// The index of the row at fault among the inserted rows; `nil` for updates and deletions, and if the error does
    /// not identify the row.
    public internal(set) var index: Int?

    /// Creates a constraint violation.
    public init(_ kind: Kind, column: String? = nil, index: Int? = nil) {
        (self.kind, self.column, self.index) = (kind, column, index)
    }
}

extension TableDefinition {
    /// Returns the constraint violation that a Postgres error reports; `nil` for any other error. The column is derived
    /// from the constraint's name, except for a NOT NULL violation, whose error names the column.
    /// - Parameters:
    ///   - error: The error.
    ///   - isDeletion: Whether rows were to be deleted. If so, a foreign key violation means that these rows are still
    ///     referenced, possibly by rows of the same table.
    func violation(_ error: DatabaseError, isDeletion: Bool) -> ConstraintViolation? {
        switch error.state {
        case "23505": ConstraintViolation(.duplicate, column: column(of: error.constraint, "key"))
        case "23503" where isDeletion: ConstraintViolation(.referenced)
        case "23503":
            if let column = column(of: error.constraint, "fkey") {
                ConstraintViolation(.missingReference, column: column)
            } else {
                ConstraintViolation(error.table == name ? .missingReference : .referenced)
            }
        case "23514": ConstraintViolation(.check, column: column(of: error.constraint, "check"))
        case "23502": ConstraintViolation(.missingValue, column: error.column)
        default: nil
        }
    }

    /// Returns the column of a constraint whose name Postgres has chosen: `lead_email_key`, `lead_score_check1`.
    private func column(of constraint: String?, _ kind: String) -> String? {
        guard let constraint else { return nil }
        return columns.first { column in
            let name = "\(self.name)_\(column.name)_\(kind)"
            return constraint.hasPrefix(name) && constraint.dropFirst(name.count).allSatisfy(\.isNumber)
        }?.name
    }
}

extension DatabaseError {
    /// The key's value in the error's detail message: `ada@example.org` in `Key (email)=(ada@example.org) already
    /// exists.`
    fileprivate var keyValue: Substring? {
        guard let detail, let start = detail.firstRange(of: ")=("), let end = detail.ranges(of: ") ").last else {
            return nil
        }
        return start.upperBound <= end.lowerBound ? detail[start.upperBound..<end.lowerBound] : nil
    }
}

extension Array {
    /// Returns the index of the last element in which the column has the value that the error's detail message names.
    /// If several elements have a duplicate value, the first may be valid, but the last is not.
    func index<Row>(of column: String, _ error: DatabaseError) -> Int? where Element == ColumnValues<Row> {
        guard let value = error.keyValue else { return nil }
        let reference = ColumnDefinition.quoted(column)
        return lastIndex {
            $0.assignments.contains { $0.column == reference && $0.text?.utf8.elementsEqual(value.utf8) ?? false }
        }
    }
}
