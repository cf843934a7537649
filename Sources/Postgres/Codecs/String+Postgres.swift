import SQL

/// `text`, and what is sent like it: `varchar`, `name`, enums. Binary, so that a NUL is refused by Postgres and not taken for
/// the end.
extension String: PostgresValue {
    public static var type: UInt32 { 25 }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) { self.init(decoding: binary, as: UTF8.self) }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        buffer.append(contentsOf: utf8)
        return true
    }
}
