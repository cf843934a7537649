/// Encoder for the binary format of one-dimensional arrays (Postgres's `array_send`): a header with the dimensions,
/// then each element preceded by its length.
public enum ArrayFormat {
    /// Appends the binary form of an array.
    /// - Parameters:
    ///   - values: The elements; an element whose `encode(into:)` returns `false` becomes NULL.
    ///   - element: The type of every element.
    ///   - buffer: The buffer to append to.
    public static func append(_ values: [any SQLValue], of element: any SQLValue.Type, to buffer: inout [UInt8]) {
        append(Int32(values.isEmpty ? 0 : 1), to: &buffer)
        append(1, to: &buffer)  // The flag that says that the array may contain NULLs.
        append(Int32(bitPattern: element.type), to: &buffer)
        guard !values.isEmpty else { return }
        append(Int32(values.count), to: &buffer)
        append(1, to: &buffer)  // The lower bound, that is, the first index.
        for value in values { append(value, to: &buffer) }
    }

    private static func append(_ value: any SQLValue, to buffer: inout [UInt8]) {
        let offset = buffer.count
        append(-1, to: &buffer)
        guard value.encode(into: &buffer) else { return }
        withUnsafeBytes(of: Int32(buffer.count - offset - 4).bigEndian) { length in
            buffer.replaceSubrange(offset..<offset + 4, with: length)
        }
    }

    private static func append(_ number: Int32, to buffer: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { buffer.append(contentsOf: $0) }
    }
}
