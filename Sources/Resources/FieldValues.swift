import SQL
import Web

extension String: FieldValue {
    public static var schema: JSON { ["type": "string"] }

    public init(json: JSON) throws(FieldProblem) {
        switch json {
        case .string(let text): self = try text.checked()
        case .unpairedSurrogate: throw FieldProblem("must not contain an unpaired surrogate")
        default: throw FieldProblem("must be a string")
        }
    }

    public init(parameter text: String) throws(FieldProblem) { self = try text.checked() }

    public var text: String { self }
    public var trimmingWhiteSpace: String { trimmed }

    private func checked() throws(FieldProblem) -> String {
        var text = self
        guard !text.withUTF8({ $0.reduce(false) { $0 || $1 == 0 } }) else {
            throw FieldProblem("must not contain a NUL character")
        }
        return text
    }
}

extension Bool: FieldValue {
    public static var schema: JSON { ["type": "boolean"] }

    public init(json: JSON) throws(FieldProblem) {
        guard case .bool(let value) = json else { throw FieldProblem("must be true or false") }
        self = value
    }

    public init(parameter text: String) throws(FieldProblem) {
        guard let value = Bool(text) else { throw FieldProblem("must be true or false") }
        self = value
    }

    public var text: String { String(self) }
}

/// Represents integers as JSON numbers without a fraction and without an exponent.
extension FieldValue where Self: FixedWidthInteger & SignedInteger {
    public static var schema: JSON {
        ["type": "integer", "minimum": .number(String(Self.min)), "maximum": .number(String(Self.max))]
    }

    public init(json: JSON) throws(FieldProblem) {
        guard case .number(let text) = json, !text.contains(where: { ".eE".contains($0) }) else {
            throw FieldProblem("must be an integer")
        }
        try self.init(parameter: text)
    }

    public init(parameter text: String) throws(FieldProblem) {
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw FieldProblem("must be an integer")
        }
        guard let value = Self(text) else { throw FieldProblem("must be between \(Self.min) and \(Self.max)") }
        self = value
    }

    public var text: String { String(self) }

    public func write(to json: inout JSONWriter) { Int64(self).write(to: &json) }
}

extension Int16: FieldValue {}
extension Int32: FieldValue {}
extension Int64: FieldValue {}

extension Double: FieldValue {
    public static var schema: JSON { ["type": "number"] }

    public init(json: JSON) throws(FieldProblem) {
        guard case .number(let text) = json else { throw FieldProblem("must be a number") }
        try self.init(parameter: text)
    }

    public init(parameter text: String) throws(FieldProblem) {
        guard text.utf8.allSatisfy("0123456789+-.eE".utf8.contains), let value = Double(text), value.isFinite else {
            throw FieldProblem("must be a number in the range of a double")
        }
        self = value
    }

    public var text: String { isFinite ? description : "" }

    /// Writes the number. JSON can represent neither infinities nor NaN, which become `null`.
    public func write(to json: inout JSONWriter) { RawJSON(isFinite ? description : "null").write(to: &json) }
}

extension UUID: FieldValue {
    public static var schema: JSON { ["type": "string", "format": "uuid"] }

    public init(json: JSON) throws(FieldProblem) { try self.init(parameter: String(json: json)) }

    public init(parameter text: String) throws(FieldProblem) {
        guard let value = UUID(text) else { throw FieldProblem("must be a UUID") }
        self = value
    }

    public var text: String { description }

    public func write(to json: inout JSONWriter) { description.write(to: &json) }
}

extension Timestamp: FieldValue {
    public static var schema: JSON {
        [
            "type": "string",
            "pattern": "^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT$",
            "description": "A date and time in UTC (RFC 9110, section 5.6.7); RFC 3339 is accepted too.",
            "examples": ["Mon, 23 Nov 2026 07:33:36 GMT"],
        ]
    }

    public init(json: JSON) throws(FieldProblem) { try self.init(parameter: String(json: json)) }

    public init(parameter text: String) throws(FieldProblem) {
        guard let value = Timestamp(rfc3339: text) ?? Timestamp(httpDate: text) else {
            throw FieldProblem("must be a time like 2026-11-23T07:33:36Z or Mon, 23 Nov 2026 07:33:36 GMT")
        }
        self = value
    }

    public var text: String {
        var json = JSONWriter()
        json.date(unixSeconds: unixSeconds)
        return String(decoding: json.finish().dropFirst().dropLast(2), as: UTF8.self)
    }

    /// Returns the last microsecond of the second that begins at `value` if `text` has no fraction, otherwise `value`.
    /// Clients receive times in whole seconds, so a time without a fraction in a filter matches the whole second.
    public static func upperBound(of value: Timestamp, writtenAs text: String) -> Timestamp {
        text.utf8.contains(UInt8(ascii: ".")) ? value : Timestamp(microseconds: value.microseconds + 999_999)
    }

    /// Writes the time as IMF-fixdate (RFC 9110); the microseconds are truncated.
    public func write(to json: inout JSONWriter) { json.date(unixSeconds: unixSeconds) }
}

/// Represents values of enumerations by their raw values.
extension FieldValue where Self: Enumeration {
    public static var schema: JSON { ["type": "string", "enum": .array(allCases.map { .string($0.rawValue) })] }

    public init(json: JSON) throws(FieldProblem) { try self.init(parameter: String(json: json)) }

    public init(parameter text: String) throws(FieldProblem) {
        guard let value = Self(rawValue: text) else {
            throw FieldProblem("must be one of \(Self.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self = value
    }

    public var text: String { rawValue }

    public func write(to json: inout JSONWriter) { rawValue.write(to: &json) }
}

extension Optional: JSONWritable where Wrapped: JSONWritable {
    public func write(to json: inout JSONWriter) {
        if let self { self.write(to: &json) } else { RawJSON("null").write(to: &json) }
    }
}

/// Represents nullable values: NULL is `null` in JSON, and an empty cell in CSV.
extension Optional: FieldValue where Wrapped: FieldValue {
    public static var schema: JSON { Wrapped.schema.nullable }

    public init(json: JSON) throws(FieldProblem) { self = json == .null ? .none : .some(try Wrapped(json: json)) }

    public init(parameter text: String) throws(FieldProblem) { self = .some(try Wrapped(parameter: text)) }

    public var text: String { self?.text ?? "" }

    public var trimmingWhiteSpace: Self { self?.trimmingWhiteSpace }
}
