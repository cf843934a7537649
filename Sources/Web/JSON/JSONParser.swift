/// The reason why bytes could not be parsed as JSON.
public enum JSONError: Error, Hashable, CustomStringConvertible {
    /// The bytes are not valid JSON, or nested too deeply. The associated values are the problem and its byte offset.
    case malformed(String, offset: Int)
    /// The text has more values than the caller allows.
    case tooManyValues(limit: Int)

    public var description: String {
        switch self {
        case .malformed(let problem, let offset): "\(problem) at byte \(offset)"
        case .tooManyValues(let limit): "more than \(limit) values"
        }
    }
}

extension JSON {
    /// Parses JSON in UTF-8 (RFC 8259). A leading byte order mark is skipped.
    /// - Parameter limit: the maximum number of values; arrays, objects and the values in them all count.
    /// - Throws: `JSONError` when the text is not valid JSON or UTF-8, is nested more than 64 levels deep, or has too
    ///   many values.
    public init(parsing bytes: [UInt8], atMost limit: Int = .max) throws(JSONError) {
        if let offset = bytes.firstInvalidUTF8 { throw .malformed("invalid UTF-8", offset: offset) }
        let start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
        var parser = JSONParser(bytes: bytes, index: start, limit: limit)
        self = try parser.document()
    }
}

extension [UInt8] {
    fileprivate var firstInvalidUTF8: Int? {
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: span)
            return nil
        } catch { return error.byteOffsets.lowerBound }
    }
}

/// A recursive descent parser that reads the text once.
private struct JSONParser {
    let bytes: [UInt8]
    var index: Int
    let limit: Int
    var depth = 0
    var values = 0

    static let maxDepth = 64

    init(bytes: [UInt8], index: Int, limit: Int) {
        self.bytes = bytes
        self.index = index
        self.limit = limit
    }

    mutating func document() throws(JSONError) -> JSON {
        let value = try value()
        skipSpace()
        guard index == bytes.count else { throw error("unexpected text after the value") }
        return value
    }

    private func error(_ problem: String) -> JSONError { .malformed(problem, offset: index) }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { index += 1 }
    }

    private mutating func consume(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        index += 1
        return true
    }

    private mutating func value() throws(JSONError) -> JSON {
        values += 1
        guard values <= limit else { throw .tooManyValues(limit: limit) }
        skipSpace()
        switch next {
        case 0x7b: return try object()
        case 0x5b: return try array()
        case 0x22: return try string()
        case 0x74: return try literal("true", .bool(true))
        case 0x66: return try literal("false", .bool(false))
        case 0x6e: return try literal("null", .null)
        case .some(0x2d), .some(0x30...0x39): return try number()
        case nil: throw error("unexpected end of text")
        default: throw error("expected a value")
        }
    }

    private mutating func literal(_ name: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        guard name.withUTF8Buffer({ bytes[index...].starts(with: $0) }) else { throw error("expected a value") }
        index += name.utf8CodeUnitCount
        return value
    }

    // MARK: Arrays and objects

    private mutating func enter() throws(JSONError) {
        depth += 1
        guard depth <= JSONParser.maxDepth else { throw error("more than \(JSONParser.maxDepth) levels of nesting") }
        index += 1
        skipSpace()
    }

    private mutating func array() throws(JSONError) -> JSON {
        try enter()
        var elements: [JSON] = []
        if !consume(0x5d) {
            repeat { elements.append(try value()) } while try continues(until: 0x5d)
        }
        depth -= 1
        return .array(elements)
    }

    private mutating func object() throws(JSONError) -> JSON {
        try enter()
        var members = JSON.Members()
        if !consume(0x7d) {
            repeat { try member(into: &members) } while try continues(until: 0x7d)
        }
        depth -= 1
        return .object(members)
    }

    private mutating func member(into members: inout JSON.Members) throws(JSONError) {
        skipSpace()
        guard next == 0x22 else { throw error("expected a name in double quotes") }
        let name = if case .string(let name) = try string() { name } else { "\u{fffd}" }
        skipSpace()
        guard consume(0x3a) else { throw error("expected a colon") }
        members.all.append((name, try value()))
    }

    /// Consumes the comma before another element, or the closing bracket.
    /// - Returns: `true` after a comma, when another element must follow; `false` after the bracket.
    private mutating func continues(until bracket: UInt8) throws(JSONError) -> Bool {
        skipSpace()
        if consume(0x2c) { return true }
        guard consume(bracket) else { throw error("expected a comma or a closing bracket") }
        return false
    }

    // MARK: Numbers

    private mutating func number() throws(JSONError) -> JSON {
        let start = index
        _ = consume(0x2d)
        if !consume(0x30) { try digits() }
        if consume(0x2e) { try digits() }
        if consume(0x65) || consume(0x45) {
            if !consume(0x2b) { _ = consume(0x2d) }
            try digits()
        }
        return .number(String(decoding: bytes[start..<index], as: UTF8.self))
    }

    private mutating func digits() throws(JSONError) {
        let start = index
        while let byte = next, byte >= 0x30, byte <= 0x39 { index += 1 }
        guard index > start else { throw error("expected a digit") }
    }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> JSON {
        index += 1
        let start = index
        skipPlain()
        guard consume(0x22) else { return try escapedString(from: start) }
        return .string(String(decoding: bytes[start..<(index - 1)], as: UTF8.self))
    }

    /// Skips the characters of a string up to the next double quote, backslash or control character.
    private mutating func skipPlain() {
        while index < bytes.count, bytes[index] >= 0x20, bytes[index] != 0x22, bytes[index] != 0x5c { index += 1 }
    }

    private mutating func escapedString(from start: Int) throws(JSONError) -> JSON {
        var text = Array(bytes[start..<index])
        var isBroken = false
        while next == 0x5c {
            try escape(into: &text, &isBroken)
            let start = index
            skipPlain()
            if index > start { text.append(contentsOf: bytes[start..<index]) }
        }
        guard next != nil else { throw error("unterminated string") }
        guard consume(0x22) else { throw error("a control character must be escaped") }
        return isBroken ? .unpairedSurrogate : .string(String(decoding: text, as: UTF8.self))
    }

    private mutating func escape(into text: inout [UInt8], _ isBroken: inout Bool) throws(JSONError) {
        index += 1
        guard let byte = next else { throw error("unterminated string") }
        index += 1
        switch byte {
        case 0x22, 0x5c, 0x2f: text.append(byte)
        case 0x62: text.append(0x08)
        case 0x66: text.append(0x0c)
        case 0x6e: text.append(0x0a)
        case 0x72: text.append(0x0d)
        case 0x74: text.append(0x09)
        case 0x75:
            if let scalar = try scalar() {
                for byte in scalar.utf8 { text.append(byte) }
            } else {
                isBroken = true
            }
        default:
            index -= 1
            throw error("unknown escape sequence")
        }
    }

    /// Parses one escape `\uXXXX`, or a surrogate pair of two such escapes, and returns the scalar; `nil` for an
    /// unpaired surrogate.
    private mutating func scalar() throws(JSONError) -> Unicode.Scalar? {
        let unit = try codeUnit()
        guard unit & 0xfc00 == 0xd800 else { return Unicode.Scalar(unit) }
        guard bytes.count - index >= 2, bytes[index] == 0x5c, bytes[index + 1] == 0x75 else { return nil }
        let start = index
        index += 2
        let low = try codeUnit()
        guard low & 0xfc00 == 0xdc00 else {
            index = start
            return nil
        }
        return Unicode.Scalar(0x10000 + (unit & 0x3ff) << 10 + low & 0x3ff)
    }

    private mutating func codeUnit() throws(JSONError) -> UInt32 {
        var unit: UInt32 = 0
        for position in index..<(index + 4) {
            guard position < bytes.count, let digit = JSONParser.hexadecimal(bytes[position]) else {
                throw error("expected four hexadecimal digits")
            }
            unit = unit << 4 | digit
        }
        index += 4
        return unit
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x30...0x39: UInt32(byte - 0x30)
        case 0x41...0x46, 0x61...0x66: UInt32(byte & 0x0f + 9)
        default: nil
        }
    }
}
