/// Maps to the Postgres type `timestamp without time zone`, which contains UTC in this application. The binary form is
/// the number of microseconds since 2000-01-01; the smallest and the largest number represent `-infinity` and
/// `infinity`.
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
