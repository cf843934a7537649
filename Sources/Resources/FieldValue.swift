import SQL
import Web

/// A type of column that clients can send and see: as JSON, as text in a query, and in CSV. One file holds those that there are; a type of
/// one's own conforms in its own.
public protocol FieldValue: SQLValue, Equatable, JSONWritable {
    /// What its JSON is, as JSON Schema.
    static var schema: JSON { get }
    /// Reads JSON.
    /// - Throws: `FieldProblem`, when it is none of this type.
    init(json: JSON) throws(FieldProblem)
    /// Reads the value of a query's parameter.
    /// - Throws: `FieldProblem`, when it is none of this type.
    init(parameter text: String) throws(FieldProblem)
    /// The last of the values that clients see as the one which `text` says; `value` itself, unless they are shown rounded down.
    static func last(shownLike value: Self, _ text: String) -> Self
    /// The value in CSV.
    var text: String { get }
    /// The value without white space at its ends.
    var withoutOuterSpace: Self { get }
    /// Writes the value that lies at a place in memory.
    static func write(at place: UnsafeRawPointer, to json: inout JSONWriter)
}

extension FieldValue {
    public var withoutOuterSpace: Self { self }

    public static func last(shownLike value: Self, _ text: String) -> Self { value }

    /// Sound when a value of this type lies at `place`: the offset of a stored property in a row.
    public static func write(at place: UnsafeRawPointer, to json: inout JSONWriter) {
        place.assumingMemoryBound(to: Self.self).pointee.write(to: &json)
    }
}

/// What is wrong with a value, as it goes on after the field's name: `must be a string`.
public struct FieldProblem: Error, Hashable {
    let message: String

    /// Says what is wrong.
    public init(_ message: String) { self.message = message }
}
