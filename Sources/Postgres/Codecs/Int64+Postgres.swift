import SQL

/// `bigint`.
extension Int64: PostgresValue {
    public static var type: UInt32 { 20 }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) { try self.init(bigEndian: binary, of: "bigint") }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        appendBigEndian(to: &buffer)
        return true
    }
}
