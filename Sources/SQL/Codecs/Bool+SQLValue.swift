/// Maps to the Postgres type `boolean`: one byte.
extension Bool: SQLValue {
    public static var type: UInt32 { 16 }
    public static var arrayType: UInt32 { 1000 }
    public static var typeName: String { "boolean" }
    public static var samples: [Self] { [false, true] }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) {
        guard binary.count == 1 else { throw .size(binary, of: "boolean") }
        self = binary[0] != 0
    }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        buffer.append(self ? 1 : 0)
        return true
    }
}
