/// `timestamp without time zone`, which contains UTC in this application: microseconds since 2000-01-01. The smallest
/// and the largest number are the infinities.
extension Timestamp: SQLValue {
    public static var type: UInt32 { 1114 }
    public static var arrayType: UInt32 { 1115 }
    public static var typeName: String { "timestamp without time zone" }
    public static var samples: [Self] { [Timestamp(microseconds: 0), Timestamp(microseconds: 1)] }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) {
        self.init(microseconds: try Int64(bigEndian: binary, of: "timestamp"))
    }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        microseconds.appendBigEndian(to: &buffer)
        return true
    }
}
