/// A Swift type that maps to a Postgres type and is encoded and decoded in Postgres's binary format (Postgres manual,
/// section 55.1.3). The implementations are in the folder Codecs, one file for each type.
public protocol SQLValue: Sendable {
    /// The object id (OID) of the Postgres type of a parameter with this Swift type (catalog `pg_type`).
    static var type: UInt32 { get }

    /// The object id (OID) of the corresponding array type.
    static var arrayType: UInt32 { get }

    /// The name of the Postgres type as `format_type` returns it: `bigint`.
    static var typeName: String { get }

    /// The value that represents NULL; `nil` if no value does, which makes a column of this type NOT NULL.
    static var null: Self? { get }

    /// The text forms of all values of an enumeration, for which the column gets a CHECK constraint; `nil` for other
    /// types.
    static var choices: [String]? { get }

    /// Sample values for `Table.misplacedColumns`: at least two different ones, or the only value of the type.
    static var samples: [Self] { get }

    /// Decodes a value that is not NULL.
    /// - Throws: `DecodingError` when the bytes are not a valid value of this type.
    init(binary: UnsafeRawBufferPointer) throws(DecodingError)

    /// Appends the value's binary form, without its length.
    /// - Returns: `false` if the value is NULL, otherwise `true`.
    func encode(into buffer: inout [UInt8]) -> Bool
}

extension SQLValue {
    public static var null: Self? { nil }
    public static var choices: [String]? { nil }
}

/// The error for a value that cannot be decoded as the expected type, because the result's columns do not match the
/// model.
public struct DecodingError: Error, CustomStringConvertible {
    public let description: String

    /// Creates an error with a description for the log.
    public init(_ description: String) { self.description = description }

    /// Returns the error for a value of the wrong size.
    static func size(_ bytes: UnsafeRawBufferPointer, of type: String) -> DecodingError {
        DecodingError("\(bytes.count) bytes are not a valid \(type)")
    }
}
