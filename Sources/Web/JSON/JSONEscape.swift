/// Escapes the text of JSON strings. Printable ASCII is copied, except for the double quote and the backslash;
/// everything else is escaped. A scalar beyond U+FFFF is written as two escapes, a surrogate pair.
enum JSONEscape {
    /// Escapes `text`, which must be well-formed UTF-8, and appends the result.
    ///
    /// Each byte of text results in at most six bytes. The buffer reserves eight, so that an escape can be stored as
    /// one 64-bit word; the output that follows overwrites the last two bytes of the word. Unused capacity is cheap:
    /// the kernel allocates pages when they are touched.
    static func append(_ text: UnsafeBufferPointer<UInt8>, to bytes: inout ByteBuffer) {
        guard let start = text.baseAddress else { return }
        let end = UnsafeRawPointer(start + text.count)
        bytes.append(atMost: text.count * 8) { escape(start, end, to: UnsafeMutableRawPointer($0)) }
    }

    /// Writes the text from `text` up to `end` to `output`, with escapes.
    ///
    /// The pointer accesses are sound: `output` has a capacity of eight bytes for each byte of text, and nothing is
    /// read at or after `end`.
    /// - Returns: the number of bytes written.
    private static func escape(
        _ text: UnsafeRawPointer, _ end: UnsafeRawPointer, to output: UnsafeMutableRawPointer
    ) -> Int {
        var (next, last) = (text, output)
        while next < end {
            let plain = copyPlain(next, end, to: last)
            (next, last) = (next + plain, last + plain)
            while next < end, !isPlain(next.load(as: UInt8.self)) { escapeScalar(&next, &last) }
        }
        return last - output
    }

    // MARK: Plain text

    /// Copies the next bytes of the text up to the first byte that needs an escape, at most eight. The function always
    /// stores eight bytes; later output overwrites the surplus.
    /// - Returns: the number of bytes copied, without the surplus.
    private static func copyPlain(
        _ text: UnsafeRawPointer, _ end: UnsafeRawPointer, to output: UnsafeMutableRawPointer
    ) -> Int {
        let word = end - text >= 8 ? text.loadUnaligned(as: UInt64.self) : lastWord(text, end - text)
        output.storeBytes(of: word, as: UInt64.self)
        return UInt64(littleEndian: word).plainBytes
    }

    /// Loads the last one to seven bytes of the text into a word, padded with zeros. Since a zero byte needs an
    /// escape, `plainBytes` does not count the padding.
    private static func lastWord(_ text: UnsafeRawPointer, _ count: Int) -> UInt64 {
        func part<Part: FixedWidthInteger>(_ offset: Int, as _: Part.Type) -> UInt64 {
            UInt64(truncatingIfNeeded: text.loadUnaligned(fromByteOffset: offset, as: Part.self).littleEndian)
                << (8 * offset)
        }
        // Where the parts overlap, they contain the same bytes.
        let word =
            count >= 4
            ? part(0, as: UInt32.self) | part(count - 4, as: UInt32.self)
            : part(0, as: UInt8.self) | part(count / 2, as: UInt8.self) | part(count - 1, as: UInt8.self)
        return word.littleEndian
    }

    private static func isPlain(_ byte: UInt8) -> Bool { byte >= 0x20 && byte < 0x7f && byte != 0x22 && byte != 0x5c }

    // MARK: Escapes

    private static func escapeScalar(_ next: inout UnsafeRawPointer, _ last: inout UnsafeMutableRawPointer) {
        let scalar = scalar(&next)
        if scalar >= 0x10000 {
            escape(unit: 0xd800 + (scalar - 0x10000) >> 10, &last)
            escape(unit: 0xdc00 + scalar & 0x3ff, &last)
        } else if let letter = letter(of: scalar) {
            last.storeBytes(of: (UInt16(letter) << 8 | 0x5c).littleEndian, as: UInt16.self)
            last += 2
        } else {
            escape(unit: scalar, &last)
        }
    }

    /// Decodes the scalar at `next`, and advances `next` past it.
    private static func scalar(_ next: inout UnsafeRawPointer) -> UInt32 {
        let first = next.load(as: UInt8.self)
        let count = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
        var value = UInt32(count == 1 ? first : first & (0x7f >> count))
        for index in 1..<count { value = value << 6 | UInt32(next.load(fromByteOffset: index, as: UInt8.self) & 0x3f) }
        next += count
        return value
    }

    /// Returns the character after the backslash in the two-character escape of a scalar; `nil` when the scalar has no
    /// such escape.
    private static func letter(of scalar: UInt32) -> UInt8? {
        switch scalar {
        case 0x22, 0x5c: UInt8(scalar)
        case 0x08: 0x62
        case 0x09: 0x74
        case 0x0a: 0x6e
        case 0x0c: 0x66
        case 0x0d: 0x72
        default: nil
        }
    }

    private static func escape(unit: UInt32, _ last: inout UnsafeMutableRawPointer) {
        last.storeBytes(of: (UInt64(unit.hexDigits) << 16 | 0x755c).littleEndian, as: UInt64.self)
        last += 6
    }
}

extension UInt64 {
    /// The number of bytes, counted from the lowest one, before the first byte that needs an escape; 8 when no byte
    /// needs one.
    fileprivate var plainBytes: Int {
        let (ones, tops): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        // Each expression sets the top bit of every byte that it tests for. It may also set that of a higher byte,
        // since borrows and carries propagate upwards, but never that of a byte below the lowest match.
        func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word }
        let controls = (self &- ones * 0x20) & ~self
        let others = self | (self &+ ones)
        let special = (controls | others | zeros(self ^ ones * 0x22) | zeros(self ^ ones * 0x5c)) & tops
        return special.trailingZeroBitCount / 8
    }
}

extension UInt32 {
    /// The four hexadecimal digits of a number below 0x10000, with the first digit in the lowest byte.
    fileprivate var hexDigits: UInt32 {
        let digits = self >> 12 | self & 0xf00 | (self & 0xf0) << 12 | (self & 0xf) << 24
        // Adding six to a digit of ten or more carries into the next four bits. Such a digit is a letter, whose ASCII
        // code is 39 higher.
        return digits + 0x3030_3030 + (digits + 0x0606_0606) >> 4 & 0x0101_0101 * 39
    }
}
