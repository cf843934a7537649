extension OutputSpan<UInt8> {
    /// Appends bytes. The free capacity must be large enough.
    @inline(__always)
    package mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        precondition(bytes.count <= freeCapacity)
        withUnsafeMutableBufferPointer { buffer, count in
            // Sound: the free capacity after the first `count` bytes holds all of them.
            (buffer.baseAddress! + count).initialize(from: source, count: bytes.count)
            count += bytes.count
        }
    }

    /// Appends the UTF-8 of a string literal. The free capacity must be large enough.
    @inline(__always)
    package mutating func append(_ text: StaticString) {
        append(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends the UTF-8 of a string. The free capacity must be large enough.
    package mutating func append(utf8 text: String) {
        var text = text
        text.withUTF8 { append($0) }
    }
}
