/// Maps to the Postgres type `text`. Types with the same binary format, such as `varchar`, `name` and enums, can be
/// decoded too. Values are sent in binary format because Postgres then rejects a NUL character, whereas in text format
/// a NUL would end the value.
extension String: SQLValue {
    public static var type: UInt32 { 25 }
    public static var arrayType: UInt32 { 1009 }
    public static var typeName: String { "text" }
    public static var samples: [Self] { ["a", "b"] }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) { self.init(decoding: binary, as: UTF8.self) }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        buffer.append(contentsOf: utf8)
        return true
    }
}
