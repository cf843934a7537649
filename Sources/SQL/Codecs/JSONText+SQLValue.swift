/// JSON that Postgres keeps as it was written.
public struct JSONText: Hashable, Sendable {
    /// The text.
    public var text: String

    /// Makes it of text; Postgres checks that it is JSON.
    public init(_ text: String) { self.text = text }
}

/// `json`: its text.
extension JSONText: SQLValue {
    public static var type: UInt32 { 114 }
    public static var arrayType: UInt32 { 199 }
    public static var typeName: String { "json" }
    public static var samples: [Self] { [JSONText("0"), JSONText("1")] }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) { text = try String(binary: binary) }

    public func encode(into buffer: inout [UInt8]) -> Bool { text.encode(into: &buffer) }
}
