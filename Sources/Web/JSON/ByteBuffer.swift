/// Bytes that grow at their end: what an array does, without a check of its uniqueness at each byte.
struct ByteBuffer: ~Copyable {
    // Owned here: allocated in init and `grow`, freed in deinit, never handed out.
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    /// What was written so far.
    var bytes: [UInt8] { Array(UnsafeBufferPointer(start: base, count: count)) }

    /// Takes what was written so far, and begins anew.
    mutating func take() -> [UInt8] {
        defer { count = 0 }
        return bytes
    }

    /// Adds one byte.
    mutating func append(_ byte: UInt8) {
        if count == capacity { grow(by: 1) }
        base[count] = byte
        count += 1
    }

    /// Adds bytes from elsewhere.
    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        append(bytes.count) { $0.update(from: source, count: bytes.count) }
    }

    /// Adds text that the compiler knows.
    mutating func append(_ text: StaticString) {
        append(text.utf8CodeUnitCount) { $0.update(from: text.utf8Start, count: text.utf8CodeUnitCount) }
    }

    /// Adds `length` bytes again that begin at `start`.
    mutating func `repeat`(_ start: Int, _ length: Int) {
        precondition(start >= 0 && start + length <= count)
        if capacity - count < length { grow(by: length) }
        (base + count).update(from: base + start, count: length)
        count += length
    }

    /// Adds `length` bytes, all of which `write` must set.
    mutating func append(_ length: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Void) {
        if capacity - count < length { grow(by: length) }
        write(base + count)
        count += length
    }

    /// Adds as many bytes as `write` says that it has set, of the `length` that there is room for.
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
