/// A growable byte buffer. Unlike an array, the buffer needs no uniqueness check for each appended byte.
struct ByteBuffer: ~Copyable {
    // Owned by this buffer: allocated in `init` and `grow`, deallocated in `grow` and `deinit`, and never exposed.
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    /// A copy of the contents.
    var bytes: [UInt8] { Array(UnsafeBufferPointer(start: base, count: count)) }

    /// Returns the contents and empties the buffer, which keeps its capacity.
    mutating func take() -> [UInt8] {
        defer { count = 0 }
        return bytes
    }

    /// Appends one byte.
    mutating func append(_ byte: UInt8) {
        if count == capacity { grow(by: 1) }
        base[count] = byte
        count += 1
    }

    /// Appends bytes.
    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        append(bytes.count) { $0.update(from: source, count: bytes.count) }
    }

    /// Appends a string literal.
    mutating func append(_ text: StaticString) {
        append(text.utf8CodeUnitCount) { $0.update(from: text.utf8Start, count: text.utf8CodeUnitCount) }
    }

    /// Appends a copy of bytes of the buffer itself: the `length` bytes at the offset `start`.
    mutating func appendCopy(_ start: Int, _ length: Int) {
        precondition(start >= 0 && start + length <= count)
        if capacity - count < length { grow(by: length) }
        (base + count).update(from: base + start, count: length)
        count += length
    }

    /// Appends `length` bytes, which `write` writes: the closure must initialize all of them.
    mutating func append(_ length: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Void) {
        if capacity - count < length { grow(by: length) }
        write(base + count)
        count += length
    }

    /// Appends up to `length` bytes, which `write` writes: the closure returns how many bytes it has initialized.
    mutating func append(atMost length: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
        if capacity - count < length { grow(by: length) }
        count += write(base + count)
    }

    private mutating func grow(by length: Int) {
        capacity = max(capacity * 2, count + length)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: base, count: count)
        base.deallocate()
        base = larger
    }
}
