import SQL

/// A Swift type that stands for a Postgres type, both ways, in binary format; one file each under Codecs.
public protocol PostgresValue: Bindable {
    /// Reads a value that is not NULL.
    /// - Throws: `DecodingError` when the bytes are not of this type.
    init(binary: UnsafeRawBufferPointer) throws(DecodingError)

    /// What stands for NULL; `nil` where nothing does.
    static var null: Self? { get }
}

extension PostgresValue {
    public static var null: Self? { nil }
}

/// A column that does not hold what the code expects of it: the statement and the model do not belong together.
public struct DecodingError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }

    static func size(_ bytes: UnsafeRawBufferPointer, of type: String) -> DecodingError {
        DecodingError("\(bytes.count) bytes are no \(type)")
    }
}
