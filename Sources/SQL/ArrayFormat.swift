/// The binary format of one-dimensional arrays: their dimensions, then each element behind its length (Postgres's
/// `array_send`).
public enum ArrayFormat {
    /// Appends an array of values that are all of the type `element`.
    public static func append(_ values: [any SQLValue], of element: any SQLValue.Type, to buffer: inout [UInt8]) {
        append(Int32(values.isEmpty ? 0 : 1), to: &buffer)
        append(1, to: &buffer)  // There may be NULLs.
        append(Int32(bitPattern: element.type), to: &buffer)
        guard !values.isEmpty else { return }
        append(Int32(values.count), to: &buffer)
        append(1, to: &buffer)  // The first index.
        for value in values { append(value, to: &buffer) }
    }

    private static func append(_ value: any SQLValue, to buffer: inout [UInt8]) {
        let place = buffer.count
        append(-1, to: &buffer)
        guard value.encode(into: &buffer) else { return }
        withUnsafeBytes(of: Int32(buffer.count - place - 4).bigEndian) { length in
            buffer.replaceSubrange(place..<place + 4, with: length)
        }
    }

    private static func append(_ number: Int32, to buffer: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { buffer.append(contentsOf: $0) }
    }
}
