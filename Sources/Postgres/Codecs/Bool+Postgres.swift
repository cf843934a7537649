import SQL

/// `boolean`: one byte.
extension Bool: PostgresValue {
    public static var type: UInt32 { 16 }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) {
        guard binary.count == 1 else { throw .size(binary, of: "boolean") }
        self = binary[0] != 0
    }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        buffer.append(self ? 1 : 0)
        return true
    }
}
