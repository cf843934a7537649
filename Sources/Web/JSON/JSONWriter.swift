/// Writes JSON into bytes: compact, everything outside of ASCII's printable characters escaped, keys in the order in which the
/// caller gives them (sorted, by the contract).
public struct JSONWriter: ~Copyable {
    private var bytes = ByteBuffer(capacity: 512)
    private var needsComma = false
    /// The day that was written last, and where: the next date is of the same day, as a rule.
    private var lastDay: (day: Int64, offset: Int)?

    /// Makes a writer that has written nothing.
    public init() {}

    /// What was written, and a newline.
    public mutating func finish() -> [UInt8] {
        bytes.append(0x0a)
        return bytes.bytes
    }

    /// Begins an object.
    public mutating func beginObject() { begin(0x7b) }

    /// Ends the object that was begun last.
    public mutating func endObject() { end(0x7d) }

    /// Begins an array.
    public mutating func beginArray() { begin(0x5b) }

    /// Ends the array that was begun last.
    public mutating func endArray() { end(0x5d) }

    /// Writes a member of an object.
    public mutating func member(_ key: StaticString, _ value: some JSONWritable) {
        separate()
        bytes.append(0x22)
        bytes.append(key)
        bytes.append("\":")
        needsComma = false
        value.write(to: &self)
    }

    /// Writes a member of an object, whose key is known at run time only.
    public mutating func member(named key: String, _ value: some JSONWritable) {
        string(key)
        bytes.append(0x3a)
        needsComma = false
        value.write(to: &self)
    }

    /// Writes a string.
    public mutating func string(_ text: String) {
        separate()
        bytes.append(0x22)
        escape(text)
        bytes.append(0x22)
    }

    /// Writes text that is JSON already: a number, a literal, a string that needs no escape.
    mutating func raw(_ json: StaticString) {
        separate()
        bytes.append(json)
    }

    fileprivate mutating func raw(_ json: String) {
        separate()
        for byte in json.utf8 { bytes.append(byte) }
    }

    mutating func number(_ value: Int64) {
        separate()
        if value < 0 { bytes.append(0x2d) }
        digits(of: value.magnitude)
    }

    private mutating func digits(of number: UInt64) {
        if number >= 10 { digits(of: number / 10) }
        bytes.append(0x30 + UInt8(number % 10))
    }

    /// Writes a moment as RFC 9110 writes dates, in quotes.
    public mutating func date(unixSeconds: Int64) {
        separate()
        bytes.append(0x22)
        let date = HTTPDate(unixSeconds: unixSeconds)
        let offset = bytes.count
        if let lastDay, lastDay.day == date.days {
            bytes.repeat(lastDay.offset, HTTPDate.dayLength)
        } else {
            date.appendDay(to: &bytes)
        }
        lastDay = (date.days, offset)
        date.appendTime(to: &bytes)
        bytes.append(0x22)
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    /// Puts a comma where one belongs before the next value.
    private mutating func separate() {
        if needsComma { bytes.append(0x2c) }
        needsComma = true
    }

    // MARK: Escaping

    private mutating func escape(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            var rest = utf8[...]
            while let stop = rest.firstIndex(where: { !JSONWriter.isPlain($0) }) {
                bytes.append(UnsafeBufferPointer(rebasing: rest[..<stop]))
                let (scalar, next) = JSONWriter.scalar(in: rest, at: stop)
                escape(scalar)
                rest = rest[next...]
            }
            bytes.append(UnsafeBufferPointer(rebasing: rest))
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool { byte >= 0x20 && byte < 0x7f && byte != 0x22 && byte != 0x5c }

    /// The scalar at `index`, and where the next one begins; a `String`'s UTF-8 is always well-formed.
    private static func scalar(in utf8: Slice<UnsafeBufferPointer<UInt8>>, at index: Int) -> (UInt32, Int) {
        let first = utf8[index]
        let count = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
        var value = UInt32(count == 1 ? first : first & (0x7f >> count))
        for byte in utf8[(index + 1)..<(index + count)] { value = value << 6 | UInt32(byte & 0x3f) }
        return (value, index + count)
    }

    private mutating func escape(_ scalar: UInt32) {
        switch scalar {
        case 0x22: bytes.append("\\\"")
        case 0x5c: bytes.append("\\\\")
        case 0x08: bytes.append("\\b")
        case 0x09: bytes.append("\\t")
        case 0x0a: bytes.append("\\n")
        case 0x0c: bytes.append("\\f")
        case 0x0d: bytes.append("\\r")
        case 0x10000...: escape(pairOf: scalar - 0x10000)
        default: escape(unit: scalar)
        }
    }

    private mutating func escape(pairOf offset: UInt32) {
        escape(unit: 0xd800 + offset >> 10)
        escape(unit: 0xdc00 + offset & 0x3ff)
    }

    private mutating func escape(unit: UInt32) {
        bytes.append("\\u")
        for shift in [12, 8, 4, 0] as [UInt32] { bytes.append(JSONWriter.digits[Int(unit >> shift & 0xf)]) }
    }

    private static let digits = Array("0123456789abcdef".utf8)
}

/// A value that has a JSON form.
public protocol JSONWritable {
    /// Writes the value.
    func write(to json: inout JSONWriter)
}

extension Bool: JSONWritable {
    public func write(to json: inout JSONWriter) { json.raw(self ? "true" : "false") }
}

extension Int64: JSONWritable {
    public func write(to json: inout JSONWriter) { json.number(self) }
}

extension Int: JSONWritable {
    public func write(to json: inout JSONWriter) { json.number(Int64(self)) }
}

extension String: JSONWritable {
    public func write(to json: inout JSONWriter) { json.string(self) }
}

extension Array: JSONWritable where Element: JSONWritable {
    public func write(to json: inout JSONWriter) {
        json.beginArray()
        for element in self { element.write(to: &json) }
        json.endArray()
    }
}

/// JSON that is there already, and is written as it is.
public struct RawJSON: JSONWritable {
    private let text: String

    /// Takes a text that is one JSON value.
    public init(_ text: String) { self.text = text }

    public func write(to json: inout JSONWriter) { json.raw(text) }
}
