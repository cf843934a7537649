/// Maps to the Postgres type `smallint`.
extension Int16: SQLValue {
    public static var type: UInt32 { 21 }
    public static var arrayType: UInt32 { 1005 }
    public static var typeName: String { "smallint" }
    public static var samples: [Self] { [0, 1] }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) {
        try self.init(bigEndian: binary, of: "smallint")
    }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        appendBigEndian(to: &buffer)
        return true
    }
}
