/// A Swift type that stands for a Postgres type, both ways, in Postgres's binary format (Postgres manual, chapter 55.2.3). One
/// file each under Codecs.
public protocol SQLValue: Sendable {
    /// The object id of the Postgres type that the value is sent as (catalog `pg_type`).
    static var type: UInt32 { get }

    /// The object id of the type of arrays of it.
    static var arrayType: UInt32 { get }

    /// The type's name, as `format_type` writes it: `bigint`.
    static var typeName: String { get }

    /// What stands for NULL; `nil` where nothing does, and a column of this type is NOT NULL.
    static var null: Self? { get }

    /// The texts of all values, where they are few: a column of this type has a check.
    static var choices: [String]? { get }

    /// Two values that differ, for checks of what is made of values.
    static var samples: [Self] { get }

    /// Reads a value that is not NULL.
    /// - Throws: `DecodingError` when the bytes are not of this type.
    init(binary: UnsafeRawBufferPointer) throws(DecodingError)

    /// Appends the value's binary form; nothing of its length, which the caller measures.
    /// - Returns: whether there is a value: `false` sends NULL.
    func encode(into buffer: inout [UInt8]) -> Bool
}

extension SQLValue {
    public static var null: Self? { nil }
    public static var choices: [String]? { nil }
}

/// A column that does not hold what the code expects of it: the statement and the model do not belong together.
public struct DecodingError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }

    static func size(_ bytes: UnsafeRawBufferPointer, of type: String) -> DecodingError {
        DecodingError("\(bytes.count) bytes are no \(type)")
    }
}
