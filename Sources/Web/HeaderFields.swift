import Glibc
import HTTPTypes

/// An ordered list of header fields, stored as the bytes that are sent: a `Name: value` line with CRLF for each field.
///
/// A field is copied once, when it is appended; the buffer is sent unchanged. Names are case-insensitive (RFC 9110,
/// section 5.1). Values cannot inject lines: control characters other than tabs are replaced by spaces, and white space
/// at either end is removed.
public struct HeaderFields: Sendable {
    /// The lines of all fields, in the form in which they are sent.
    public private(set) var bytes: [UInt8] = []

    /// Creates an empty list.
    public init() {}

    /// Creates an empty list and reserves `capacity` bytes for its lines.
    public init(capacity: Int) { bytes.reserveCapacity(capacity) }

    // MARK: Appending

    /// Appends a field with a text value.
    public mutating func append(_ name: HTTPField.Name, _ value: String) {
        var (name, value) = (name.rawName, value)
        name.withUTF8 { name in
            value.withUTF8 { HeaderFields.withSanitized($0) { append(line: name, sanitized: $0) } }
        }
    }

    /// Appends a field whose value is a number.
    public mutating func append(_ name: HTTPField.Name, _ number: Int) {
        withDigits(of: number) { append(name, sanitized: $0) }
    }

    /// Appends a field whose value is a number in double quotes, such as an entity tag.
    public mutating func append(_ name: HTTPField.Name, quoted number: Int64) {
        withDigits(of: number, quoted: true) { append(name, sanitized: $0) }
    }

    private mutating func append(_ name: HTTPField.Name, sanitized value: UnsafeBufferPointer<UInt8>) {
        var name = name.rawName
        name.withUTF8 { append(line: $0, sanitized: value) }
    }

    /// Appends a field.
    public mutating func append(_ field: HTTPField) { append(field.name, field.value) }

    /// Appends all fields of another list.
    public mutating func append(_ fields: HeaderFields) { bytes.append(contentsOf: fields.bytes) }

    /// Appends a field from its CGI variable. `variable` is the name of the variable without the prefix `HTTP_`:
    /// `ACCEPT_LANGUAGE` becomes the field name `accept-language` (RFC 3875, section 4.1.18).
    /// - Returns: `true` when the field was appended; `false` when its name is not a token (RFC 9110, section 5.6.2).
    @discardableResult
    public mutating func append(
        variable: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        let names = HeaderFields.nameBytes
        guard !variable.isEmpty, variable.allSatisfy({ names[Int($0)] != 0 }) else { return false }
        HeaderFields.withSanitized(value) { value in
            append(nameOf: variable.count, value) { name in
                for (index, byte) in variable.enumerated() { name[index] = names[Int(byte)] }
            }
        }
        return true
    }

    /// A table that maps each byte of a CGI variable's name to a byte of the field's name; 0 for bytes that no name may
    /// contain.
    private static let nameBytes: [UInt8] = (0...255).map { (byte: UInt8) in
        guard byte.isTokenByte else { return 0 }
        return byte == UInt8(ascii: "_") ? UInt8(ascii: "-") : byte.lowercased
    }

    private mutating func append(line name: UnsafeBufferPointer<UInt8>, sanitized value: UnsafeBufferPointer<UInt8>) {
        append(nameOf: name.count, value) { $0.copy(name) }
    }

    /// Appends a line with a name of `count` bytes. The closure `writeName` must write all bytes of the name.
    @inline(__always)
    private mutating func append(
        nameOf count: Int, _ value: UnsafeBufferPointer<UInt8>, _ writeName: (UnsafeMutablePointer<UInt8>) -> Void
    ) {
        let size = count + 2 + value.count + 2
        bytes.append(addingCapacity: size) { bytes in
            bytes.withUnsafeMutableBufferPointer { buffer, filled in
                // Sound: the capacity after the filled part holds the whole line, and every byte of the line is
                // written.
                let name = buffer.baseAddress! + filled
                writeName(name)
                (name[count], name[count + 1]) = (UInt8(ascii: ":"), UInt8(ascii: " "))
                (name + count + 2).copy(value)
                (name[size - 2], name[size - 1]) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
                filled += size
            }
        }
    }

    /// Calls `body` with the value, or with a sanitized copy when the value is not valid in a header field.
    @inline(__always)
    private static func withSanitized(_ value: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void)
    {
        if value.isFieldValue { body(value) } else { value.sanitized.withUnsafeBufferPointer(body) }
    }

    // MARK: Looking up

    /// Returns the value of the first field with a name; `nil` when no field has the name.
    public func value(of name: HTTPField.Name) -> String? {
        var value: String?
        visit(name) {
            value = $0.text
            return false
        }
        return value
    }

    /// Returns the values of all fields with a name, in order.
    public func values(of name: HTTPField.Name) -> [String] {
        var values: [String] = []
        visit(name) {
            values.append($0.text)
            return true
        }
        return values
    }

    /// Calls `body` with the value of each field with a name, until `body` returns `false`.
    private func visit(_ name: HTTPField.Name, _ body: (Lines.Value) -> Bool) {
        var name = name.canonicalName
        name.withUTF8 { name in
            bytes.withUnsafeBufferPointer { bytes in
                for line in Lines(bytes) where line.isNamed(name) {
                    guard body(line.value(afterName: name.count)) else { return }
                }
            }
        }
    }

    /// Whether the list contains a field with a name.
    public func contains(_ name: HTTPField.Name) -> Bool {
        var exists = false
        visit(name) { _ in
            exists = true
            return false
        }
        return exists
    }

    /// The values of all fields with a name, joined with commas; `nil` when no field has the name. Setting a value
    /// replaces all fields with the name; setting `nil` removes them.
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

/// A sequence of the lines of a buffer. Lines are not copied: no line may outlive the buffer.
private struct Lines: Sequence, IteratorProtocol {
    /// A line without its CRLF.
    struct Line {
        fileprivate let bytes: UnsafeBufferPointer<UInt8>

        /// Whether the field has this name, which must be in lower case.
        func isNamed(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
            guard bytes.count > name.count, bytes[name.count] == Line.colon else { return false }
            for index in 0..<name.count where bytes[index].lowercased != name[index] { return false }
            return true
        }

        /// The length of the name in bytes.
        var nameCount: Int { bytes.firstIndex(of: Line.colon) ?? bytes.count }

        /// Returns the value of the field, whose name must have `nameCount` bytes.
        func value(afterName nameCount: Int) -> Value { Value(bytes: bytes[(nameCount + 2)...]) }

        private static var colon: UInt8 { UInt8(ascii: ":") }
    }

    /// The value of a field. The value is not copied: it must not outlive the buffer.
    struct Value {
        fileprivate let bytes: Slice<UnsafeBufferPointer<UInt8>>

        var text: String { String(decoding: UnsafeBufferPointer(rebasing: bytes), as: UTF8.self) }
    }

    private var rest: UnsafeBufferPointer<UInt8>

    init(_ bytes: UnsafeBufferPointer<UInt8>) { rest = bytes }

    mutating func next() -> Line? {
        guard let start = rest.baseAddress, let end = memchr(start, 0x0a, rest.count) else { return nil }
        let count = UnsafeRawPointer(end) - UnsafeRawPointer(start) + 1
        rest = UnsafeBufferPointer(start: start + count, count: rest.count - count)
        return Line(bytes: UnsafeBufferPointer(start: start, count: count - 2))
    }
}

extension HeaderFields: Sequence {
    /// Returns an iterator over the fields, in order.
    public func makeIterator() -> IndexingIterator<[HTTPField]> {
        bytes.withUnsafeBufferPointer { bytes in
            Lines(bytes).map { line in
                let count = line.nameCount
                let name = HTTPField.Name(String(decoding: line.bytes[..<count], as: UTF8.self))
                guard let name else { preconditionFailure("a field was appended whose name is no token") }
                return HTTPField(name: name, value: line.value(afterName: count).text)
            }
        }.makeIterator()
    }

    /// The number of fields.
    public var count: Int { bytes.withUnsafeBufferPointer { Lines($0).reduce(0) { count, _ in count + 1 } } }
}

extension HeaderFields: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (HTTPField.Name, String)...) {
        for (name, value) in elements { append(name, value) }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether the bytes can be sent as a field value without being sanitized: they contain no control characters (tabs
    /// included), and no space at either end.
    fileprivate var isFieldValue: Bool {
        guard let first, let last else { return true }
        return first != 0x20 && last != 0x20 && !hasControls
    }

    /// Whether any byte is a control character (tabs included). The bytes are checked eight at a time.
    private var hasControls: Bool {
        let words = count / 8
        let start = UnsafeRawPointer(baseAddress)
        for word in 0..<words where start?.loadUnaligned(fromByteOffset: 8 * word, as: UInt64.self).hasControls == true
        {
            return true
        }
        return self[(8 * words)...].contains { $0 < 0x20 || $0 == 0x7f }
    }

    /// The value with control characters other than tabs replaced by spaces, and without white space at either end.
    fileprivate var sanitized: [UInt8] {
        let spaced = map { $0 < 0x20 && $0 != 0x09 || $0 == 0x7f ? 0x20 : $0 }
        guard let start = spaced.firstIndex(where: { !$0.isSpace }), let end = spaced.lastIndex(where: { !$0.isSpace })
        else { return [] }
        return Array(spaced[start...end])
    }
}

/// Calls `body` with the decimal digits of a number, in double quotes when `isQuoted` is true.
private func withDigits(
    of number: some FixedWidthInteger, quoted isQuoted: Bool = false, _ body: (UnsafeBufferPointer<UInt8>) -> Void
) {
    // Twenty characters hold every 64-bit number with its sign, and two more its quotes.
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

extension UInt64 {
    /// Whether any of the eight bytes is a control character (tabs included).
    fileprivate var hasControls: Bool {
        let (ones, tops): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        let deletes = self ^ ones * 0x7f
        return ((self &- ones * 0x20) & ~self | (deletes &- ones) & ~deletes) & tops != 0
    }
}

extension UnsafeMutablePointer<UInt8> {
    /// Copies bytes to this address.
    fileprivate func copy(_ bytes: UnsafeBufferPointer<UInt8>) {
        if let source = bytes.baseAddress { update(from: source, count: bytes.count) }
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
