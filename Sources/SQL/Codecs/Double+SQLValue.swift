/// Maps to the Postgres type `double precision`: the 64 bits of IEEE 754 binary64, including the infinities and NaN.
extension Double: SQLValue {
    public static var type: UInt32 { 701 }
    public static var arrayType: UInt32 { 1022 }
    public static var typeName: String { "double precision" }
    public static var samples: [Self] { [0, 1] }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) {
        self.init(bitPattern: try UInt64(bigEndian: binary, of: "double precision"))
    }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        bitPattern.appendBigEndian(to: &buffer)
        return true
    }
}
