/// A JSON document that Postgres stores and returns exactly as written (`json`).
public struct JSONText: Hashable, Sendable {
    /// The JSON text.
    public var text: String

    /// Creates a value from JSON text, which is not validated here: Postgres rejects invalid JSON.
    public init(_ text: String) { self.text = text }
}

/// Maps to the Postgres type `json`, whose binary form is the JSON text.
extension JSONText: SQLValue {
    public static var type: UInt32 { 114 }
    public static var arrayType: UInt32 { 199 }
    public static var typeName: String { "json" }
    public static var samples: [Self] { [JSONText("0"), JSONText("1")] }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) { text = try String(binary: binary) }

    public func encode(into buffer: inout [UInt8]) -> Bool { text.encode(into: &buffer) }
}
