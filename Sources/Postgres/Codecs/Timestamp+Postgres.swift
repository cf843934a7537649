import SQL

/// `timestamp without time zone`, which holds UTC here: microseconds since 2000, the extremes being the infinities.
extension Timestamp: PostgresValue {
    public static var type: UInt32 { 1114 }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) {
        self.init(microseconds: try Int64(bigEndian: binary, of: "timestamp"))
    }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        microseconds.appendBigEndian(to: &buffer)
        return true
    }
}
