/// `text`, and what is sent like it: `varchar`, `name`, enums. Binary, so that a NUL is refused by Postgres and not taken for
/// the end.
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
