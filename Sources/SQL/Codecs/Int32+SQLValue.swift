/// Maps to the Postgres type `integer`.
extension Int32: SQLValue {
    public static var type: UInt32 { 23 }
    public static var arrayType: UInt32 { 1007 }
    public static var typeName: String { "integer" }
    public static var samples: [Self] { [0, 1] }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) {
        try self.init(bigEndian: binary, of: "integer")
    }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        appendBigEndian(to: &buffer)
        return true
    }
}
