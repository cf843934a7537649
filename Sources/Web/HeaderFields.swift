import HTTPTypes

/// Header fields in the form in which they are sent: a buffer of lines, `Name: value` and a line break, in order.
///
/// What is appended is copied into the buffer once, and a head is sent as it lies there. A name is compared without regard to case
/// (RFC 9110, section 5.1). No value can end its line: control characters become spaces, and those at its ends are dropped.
public struct HeaderFields: Sendable {
    /// Where a line's name ends, and how long its value is; the name begins where the line before it ends.
    fileprivate struct Line: Sendable {
        let nameEnd: Int
        let valueCount: Int
        var valueStart: Int { nameEnd + HeaderFields.separator.utf8CodeUnitCount }
        var valueEnd: Int { valueStart + valueCount }
        var end: Int { valueEnd + HeaderFields.lineBreak.utf8CodeUnitCount }
    }

    /// All lines, as they are sent.
    public private(set) var bytes: [UInt8] = []
    fileprivate var lines: [Line] = []

    private static var separator: StaticString { ": " }
    private static var lineBreak: StaticString { "\r\n" }

    /// Makes an empty list.
    public init() {}

    /// Makes room for more fields at once.
    public mutating func reserve(fields count: Int, bytes byteCount: Int) {
        lines.reserveCapacity(lines.count + count)
        bytes.reserveCapacity(bytes.count + byteCount)
    }

    // MARK: Appending

    /// Appends a field.
    public mutating func append(_ name: HTTPField.Name, _ value: String) {
        var (name, value) = (name.rawName, value)
        name.withUTF8 { name in value.withUTF8 { append(line: name, $0) } }
    }

    /// Appends a field whose value is a number.
    public mutating func append(_ name: HTTPField.Name, _ number: Int) {
        withDigits(of: number) { append(name, legal: $0) }
    }

    /// Appends a field whose value is a number in double quotes.
    public mutating func append(_ name: HTTPField.Name, quoted number: Int64) {
        withDigits(of: number, quoted: true) { append(name, legal: $0) }
    }

    private mutating func append(_ name: HTTPField.Name, legal value: UnsafeBufferPointer<UInt8>) {
        var name = name.rawName
        name.withUTF8 { append(line: $0, legal: value) }
    }

    /// Appends a field.
    public mutating func append(_ field: HTTPField) { append(field.name, field.value) }

    /// Appends fields as they are.
    public mutating func append(_ fields: HeaderFields) {
        let start = bytes.count
        bytes.append(contentsOf: fields.bytes)
        for line in fields.lines {
            lines.append(Line(nameEnd: start + line.nameEnd, valueCount: line.valueCount))
        }
    }

    /// Appends a field of bytes from outside.
    /// - Returns: whether the name is a token (RFC 9110, section 5.6.2); else nothing is appended.
    @discardableResult
    public mutating func append(token name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Bool {
        guard name.isToken else { return false }
        append(line: name, value)
        return true
    }

    private mutating func append(line name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        guard value.isFieldValue else {
            return value.legalized.withUnsafeBufferPointer { append(line: name, legal: $0) }
        }
        append(line: name, legal: value)
    }

    private mutating func append(line name: UnsafeBufferPointer<UInt8>, legal value: UnsafeBufferPointer<UInt8>) {
        let line = Line(nameEnd: bytes.count + name.count, valueCount: value.count)
        lines.append(line)
        bytes.append(addingCapacity: line.end - bytes.count) { bytes in
            bytes.append(name)
            bytes.append(HeaderFields.separator)
            bytes.append(value)
            bytes.append(HeaderFields.lineBreak)
        }
    }

    // MARK: Looking up

    /// The first value under a name.
    public func value(of name: HTTPField.Name) -> String? {
        var value: String?
        visit(name) {
            value = $0
            return false
        }
        return value
    }

    /// All values under a name.
    public func values(of name: HTTPField.Name) -> [String] {
        var values: [String] = []
        visit(name) {
            values.append($0)
            return true
        }
        return values
    }

    /// Hands the values under a name to `body`, until it returns `false`.
    private func visit(_ name: HTTPField.Name, _ body: (String) -> Bool) {
        var name = name.canonicalName
        name.withUTF8 { name in
            bytes.withUnsafeBufferPointer { bytes in
                var start = 0
                for line in lines {
                    if line.isNamed(name, bytes, from: start), !body(line.value(in: bytes)) { return }
                    start = line.end
                }
            }
        }
    }

    /// Whether there is a field under a name.
    public func contains(_ name: HTTPField.Name) -> Bool { value(of: name) != nil }

    /// The values under a name, with commas between; setting one puts it in place of all that there are.
    public subscript(name: HTTPField.Name) -> String? {
        get {
            let values = values(of: name)
            return values.isEmpty ? nil : values.joined(separator: ", ")
        }
        set {
            guard contains(name) else { return newValue.map { append(name, $0) } ?? () }
            var (fields, value) = (HeaderFields(), newValue)
            for field in self {
                if field.name != name {
                    fields.append(field)
                } else if let value = value.take() {
                    fields.append(name, value)
                }
            }
            self = fields
        }
    }
}

extension HeaderFields.Line {
    /// Whether this line, which begins at `start`, has a name, given in lower case.
    fileprivate func isNamed(
        _ name: UnsafeBufferPointer<UInt8>, _ bytes: UnsafeBufferPointer<UInt8>, from start: Int
    ) -> Bool {
        guard nameEnd - start == name.count else { return false }
        for index in 0..<name.count where bytes[start + index].lowercased != name[index] { return false }
        return true
    }

    fileprivate func value(in bytes: UnsafeBufferPointer<UInt8>) -> String {
        String(decoding: UnsafeBufferPointer(rebasing: bytes[valueStart..<valueEnd]), as: UTF8.self)
    }
}

extension HeaderFields: Sequence {
    /// Goes through the fields in order.
    public struct Iterator: IteratorProtocol {
        fileprivate let fields: HeaderFields
        private var index = 0
        private var start = 0

        fileprivate init(_ fields: HeaderFields) { self.fields = fields }

        public mutating func next() -> HTTPField? {
            guard index < fields.lines.count else { return nil }
            let line = fields.lines[index]
            let name = HTTPField.Name(String(decoding: fields.bytes[start..<line.nameEnd], as: UTF8.self))
            (index, start) = (index + 1, line.end)
            guard let name else { preconditionFailure("what is no token was appended as a name") }
            return HTTPField(name: name, value: fields.bytes.withUnsafeBufferPointer(line.value))
        }
    }

    public func makeIterator() -> Iterator { Iterator(self) }

    /// How many fields there are.
    public var count: Int { lines.count }

    public var underestimatedCount: Int { lines.count }
}

extension HeaderFields: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (HTTPField.Name, String)...) {
        for (name, value) in elements { append(name, value) }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether this is a token (RFC 9110, section 5.6.2).
    fileprivate var isToken: Bool { !isEmpty && allSatisfy(\.isTokenByte) }

    /// Whether a value can stay as it is: there are no control characters in it, and no spaces at its ends.
    fileprivate var isFieldValue: Bool {
        guard let first, let last else { return true }
        return first != 0x20 && last != 0x20 && allSatisfy { $0 >= 0x20 && $0 != 0x7f }
    }

    /// The value with spaces in place of control characters, and none at its ends.
    fileprivate var legalized: [UInt8] {
        let spaced = map { $0 < 0x20 && $0 != 0x09 || $0 == 0x7f ? 0x20 : $0 }
        guard let start = spaced.firstIndex(where: { !$0.isSpace }), let end = spaced.lastIndex(where: { !$0.isSpace })
        else { return [] }
        return Array(spaced[start...end])
    }
}

/// Calls `body` with a number's decimal digits.
private func withDigits(
    of number: some FixedWidthInteger, quoted isQuoted: Bool = false, _ body: (UnsafeBufferPointer<UInt8>) -> Void
) {
    // Twenty characters hold every number of 64 bits, with its sign.
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 24) { text in
        var (start, rest) = (text.count, number.magnitude)
        func put(_ byte: UInt8) {
            start -= 1
            text[start] = byte
        }
        if isQuoted { put(UInt8(ascii: "\"")) }
        repeat {
            put(0x30 + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        if number < 0 { put(UInt8(ascii: "-")) }
        if isQuoted { put(UInt8(ascii: "\"")) }
        body(UnsafeBufferPointer(rebasing: text[start...]))
    }
}

extension UInt8 {
    fileprivate var isSpace: Bool { self == 0x20 || self == 0x09 }

    fileprivate var lowercased: UInt8 { self >= 0x41 && self <= 0x5a ? self | 0x20 : self }

    fileprivate var isTokenByte: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        case 0x21, 0x23...0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x5e...0x60, 0x7c, 0x7e: true
        default: false
        }
    }
}
