/// Maps to the Postgres type `bigint`.
extension Int64: SQLValue {
    public static var type: UInt32 { 20 }
    public static var arrayType: UInt32 { 1016 }
    public static var typeName: String { "bigint" }
    public static var samples: [Self] { [0, 1] }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) { try self.init(bigEndian: binary, of: "bigint") }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        appendBigEndian(to: &buffer)
        return true
    }
}
