/// A binary string (`bytea`). The bytes are wrapped because an array such as `[UInt8]` stands for an array of numbers.
public struct Bytes: Hashable, Sendable {
    /// The bytes.
    public var bytes: [UInt8]

    /// Creates a value that wraps bytes.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// Maps to the Postgres type `bytea`.
extension Bytes: SQLValue {
    public static var type: UInt32 { 17 }
    public static var arrayType: UInt32 { 1001 }
    public static var typeName: String { "bytea" }
    public static var samples: [Self] { [Bytes([]), Bytes([0])] }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) { bytes = Array(binary) }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        buffer += bytes
        return true
    }
}
