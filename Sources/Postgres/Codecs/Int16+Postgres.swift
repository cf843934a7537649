import SQL

/// `smallint`.
extension Int16: PostgresValue {
    public static var type: UInt32 { 21 }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) {
        try self.init(bigEndian: binary, of: "smallint")
    }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        appendBigEndian(to: &buffer)
        return true
    }
}
