import SQL
import Web

/// A column type whose values clients can send and receive: as JSON, in query parameters and in CSV.
///
/// The conformances of the built-in types are in FieldValues.swift. Other types can conform too.
public protocol FieldValue: SQLValue, Equatable, JSONWritable {
    /// The JSON Schema of the values of this type.
    static var schema: JSON { get }
    /// Converts a JSON value to a value of this type.
    /// - Throws: `FieldProblem` when `json` does not represent a value of this type.
    init(json: JSON) throws(FieldProblem)
    /// Parses the value of a query parameter.
    /// - Throws: `FieldProblem` when `text` does not represent a value of this type.
    init(parameter text: String) throws(FieldProblem)
    /// Returns the upper bound of the values that `text` stands for in a filter. The lower bound is `value`, which was
    /// parsed from `text`. By default, both bounds are the same. The upper bound is greater for a type whose values
    /// are truncated in responses, such as times, which are truncated to whole seconds.
    static func upperBound(of value: Self, writtenAs text: String) -> Self
    /// The value as text, for cells of CSV and segments of paths.
    var text: String { get }
    /// The value without leading and trailing white space; by default the value itself.
    var trimmingWhiteSpace: Self { get }
    /// Writes the value of a stored property of this type, given the address of the property.
    static func write(at address: UnsafeRawPointer, to json: inout JSONWriter)
}

extension FieldValue {
    /// The value itself: most types have no white space to remove.
    public var trimmingWhiteSpace: Self { self }

    /// Returns `value`: for most types, `text` stands for a single value.
    public static func upperBound(of value: Self, writtenAs text: String) -> Self { value }

    /// Writes the value that is stored at an address. The memory there must contain an initialized value of this type.
    public static func write(at address: UnsafeRawPointer, to json: inout JSONWriter) {
        address.assumingMemoryBound(to: Self.self).pointee.write(to: &json)
    }
}

/// The reason why a value is invalid, phrased as the rest of a sentence that begins with the name of the field: `must
/// be a string`.
public struct FieldProblem: Error, Hashable {
    let message: String

    /// Creates a problem with its message: the rest of a sentence that begins with the name of the field.
    public init(_ message: String) { self.message = message }
}
