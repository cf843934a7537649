import SQL

/// `integer`.
extension Int32: PostgresValue {
    public static var type: UInt32 { 23 }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) {
        try self.init(bigEndian: binary, of: "integer")
    }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        appendBigEndian(to: &buffer)
        return true
    }
}
