/// Writes JSON into bytes: compact, everything outside of ASCII's printable characters escaped, keys in the order in which the
/// caller gives them (sorted, by the contract).
public struct JSONWriter: ~Copyable {
    private var bytes = ByteBuffer(capacity: 512)
    private var needsComma = false
    /// The date that was written last, and where: the next one is of the same day, as a rule, and often the same.
    private var lastDate: (date: HTTPDate, offset: Int)?

    /// Makes a writer that has written nothing.
    public init() {}

    /// What was written, and a newline.
    public mutating func finish() -> [UInt8] {
        bytes.append(0x0a)
        return bytes.bytes
    }

    /// Takes what was written since it was taken last; a value that was begun goes on.
    public mutating func take() -> [UInt8] {
        lastDate = nil
        return bytes.take()
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

    /// Begins a value whose parts are written by `part`.
    public mutating func beginParts() { separate() }

    /// Writes a part of a value that is JSON already, such as the bracket or comma, the name and the colon of a member, whose
    /// value is to be written next.
    public mutating func part(_ json: UnsafeBufferPointer<UInt8>) {
        bytes.append(json)
        needsComma = false
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
        var text = text
        text.withUTF8 { JSONEscape.append($0, to: &bytes) }
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
        if let lastDate, lastDate.date == date {
            bytes.repeat(lastDate.offset, HTTPDate.length)
        } else {
            if let lastDate, lastDate.date.days == date.days {
                bytes.repeat(lastDate.offset, HTTPDate.dayLength)
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

    /// Puts a comma where one belongs before the next value.
    private mutating func separate() {
        if needsComma { bytes.append(0x2c) }
        needsComma = true
    }
}

/// A value that has a JSON form.
public protocol JSONWritable {
    /// Writes the value.
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

/// JSON that is there already, and is written as it is.
public struct RawJSON: JSONWritable {
    private let text: String

    /// Takes a text that is one JSON value.
    public init(_ text: String) { self.text = text }

    public func write(to json: inout JSONWriter) { json.raw(text) }
}
