/// A JSON document that Postgres stores in decomposed form and returns in its own formatting (`jsonb`).
public struct JSONB: Hashable, Sendable {
    /// The JSON text.
    public var text: String

    /// Creates a value from JSON text, which is not validated here: Postgres rejects invalid JSON.
    public init(_ text: String) { self.text = text }
}

/// Maps to the Postgres type `jsonb`: the version of the binary format, which is 1, followed by the JSON text.
extension JSONB: SQLValue {
    public static var type: UInt32 { 3802 }
    public static var arrayType: UInt32 { 3807 }
    public static var typeName: String { "jsonb" }
    public static var samples: [Self] { [JSONB("0"), JSONB("1")] }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) {
        guard binary.first == 1 else { throw DecodingError("the jsonb value is of an unsupported version") }
        text = try String(binary: UnsafeRawBufferPointer(rebasing: binary.dropFirst()))
    }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        buffer.append(1)
        return text.encode(into: &buffer)
    }
}
