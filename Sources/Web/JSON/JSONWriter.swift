/// Writes compact JSON, in which everything except printable ASCII is escaped. Members keep the order in which they are
/// written; the API's contract requires callers to write members sorted by name.
public struct JSONWriter: ~Copyable {
    private var bytes = ByteBuffer(capacity: 512)
    private var needsComma = false
    /// The date that was written last, and the offset of its text in the buffer. The next date usually has the same
    /// day, and often the same time, so that the text can be copied.
    private var lastDate: (date: HTTPDate, offset: Int)?

    /// Creates a writer with an empty buffer.
    public init() {}

    /// Appends a newline and returns the buffered bytes.
    public mutating func finish() -> [UInt8] {
        bytes.append(0x0a)
        return bytes.bytes
    }

    /// Returns the bytes buffered since the last call and empties the buffer. Objects and arrays that have begun stay
    /// open, so that writing can continue in them.
    public mutating func take() -> [UInt8] {
        lastDate = nil
        return bytes.take()
    }

    /// Begins an object.
    public mutating func beginObject() { begin(0x7b) }

    /// Ends the innermost object.
    public mutating func endObject() { end(0x7d) }

    /// Begins an array.
    public mutating func beginArray() { begin(0x5b) }

    /// Ends the innermost array.
    public mutating func endArray() { end(0x5d) }

    /// Writes a member of an object. The key is not escaped, so it must not need escapes.
    public mutating func member(_ key: StaticString, _ value: some JSONWritable) {
        separate()
        bytes.append(0x22)
        bytes.append(key)
        bytes.append("\":")
        needsComma = false
        value.write(to: &self)
    }

    /// Begins an object whose names and punctuation are already encoded. Before each value, `part` writes the JSON that
    /// precedes the value; after the last value, `endObject` writes the closing brace.
    public mutating func beginParts() { separate() }

    /// Writes the encoded JSON that precedes the value of a member: the opening brace or a comma, the name, and the
    /// colon. The value must be written next.
    public mutating func part(_ json: UnsafeBufferPointer<UInt8>) {
        bytes.append(json)
        needsComma = false
    }

    /// Writes a member of an object, with a key that is known only at run time.
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
        var text = text
        text.withUTF8 { JSONEscape.append($0, to: &bytes) }
        bytes.append(0x22)
    }

    /// Writes a complete JSON value that is already encoded: a number, a literal, or a string without escapes.
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

    /// Writes a point in time as a string in the format IMF-fixdate (RFC 9110, section 5.6.7).
    public mutating func date(unixSeconds: Int64) {
        separate()
        bytes.append(0x22)
        let date = HTTPDate(unixSeconds: unixSeconds)
        let offset = bytes.count
        if let lastDate, lastDate.date == date {
            bytes.appendCopy(lastDate.offset, HTTPDate.length)
        } else {
            if let lastDate, lastDate.date.days == date.days {
                bytes.appendCopy(lastDate.offset, HTTPDate.dayLength)
            } else {
                date.appendDay(to: &bytes)
            }
            date.appendTime(to: &bytes)
        }
        lastDate = (date, offset)
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

    /// Writes a comma if the value that follows needs a separator.
    private mutating func separate() {
        if needsComma { bytes.append(0x2c) }
        needsComma = true
    }
}

/// A value that can be encoded as JSON.
public protocol JSONWritable {
    /// Writes exactly one JSON value, the encoding of this value, to `json`.
    func write(to json: inout JSONWriter)
}

extension Bool: JSONWritable {
    public func write(to json: inout JSONWriter) { json.raw(self ? "true" : "false" as StaticString) }
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

/// Encoded JSON, which is written unchanged.
public struct RawJSON: JSONWritable {
    private let text: String

    /// Wraps `text`, which must be exactly one JSON value.
    public init(_ text: String) { self.text = text }

    public func write(to json: inout JSONWriter) { json.raw(text) }
}
