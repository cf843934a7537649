extension FixedWidthInteger {
    /// Reads a big-endian number.
    /// - Parameter type: The name of the Postgres type, for the error message.
    /// - Throws: `DecodingError` when the number of bytes is not the size of this integer type.
    init(bigEndian bytes: UnsafeRawBufferPointer, of type: String) throws(DecodingError) {
        guard bytes.count == MemoryLayout<Self>.size else { throw .size(bytes, of: type) }
        self = Self(bigEndian: bytes.loadUnaligned(as: Self.self))
    }

    func appendBigEndian(to buffer: inout [UInt8]) {
        withUnsafeBytes(of: bigEndian) { buffer.append(contentsOf: $0) }
    }
}
