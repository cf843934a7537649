/// JSON that Postgres takes apart, and gives back in a form of its own.
public struct JSONB: Hashable, Sendable {
    /// The text.
    public var text: String

    /// Makes it of text; Postgres checks that it is JSON.
    public init(_ text: String) { self.text = text }
}

/// `jsonb`: the format's version, 1, and the text.
extension JSONB: SQLValue {
    public static var type: UInt32 { 3802 }
    public static var arrayType: UInt32 { 3807 }
    public static var typeName: String { "jsonb" }
    public static var samples: [Self] { [JSONB("0"), JSONB("1")] }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) {
        guard binary.first == 1 else { throw DecodingError("the jsonb is of a version that is not known") }
        text = try String(binary: UnsafeRawBufferPointer(rebasing: binary.dropFirst()))
    }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        buffer.append(1)
        return text.encode(into: &buffer)
    }
}
