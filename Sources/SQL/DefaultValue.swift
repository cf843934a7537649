/// What a column is when an insert leaves it out: in Postgres an expression, in memory a value.
public struct DefaultValue<Value: SQLValue>: Sendable {
    /// The expression; `nil` for a sequence's next number.
    public let expression: String?
    let isSerial: Bool
    /// The value, when it is always the same.
    public let constant: Value?
    /// Makes the value of a new row in memory.
    public let make: @Sendable (_ serial: Int64, _ now: Timestamp) -> Value

    private init(
        _ expression: String?, isSerial: Bool = false, make: @escaping @Sendable (Int64, Timestamp) -> Value
    ) {
        (self.expression, self.isSerial, self.make) = (expression, isSerial, make)
        constant = nil
    }

    private init(_ expression: String, constant: Value) {
        (self.expression, isSerial, self.constant) = (expression, false, constant)
        make = { _, _ in constant }
    }
}

extension DefaultValue where Value: FixedWidthInteger {
    /// The next number of the column's own sequence.
    public static var serial: Self { Self(nil, isSerial: true) { serial, _ in Value(serial) } }

    /// Always this number.
    public static func value(_ value: Value) -> Self { Self(String(value), constant: value) }
}

extension DefaultValue where Value == Timestamp {
    /// The moment at which the transaction began.
    public static var now: Self { Self("now()") { _, now in now } }
}

extension DefaultValue where Value == String {
    /// Always this text.
    public static func value(_ text: String) -> Self { Self("\(literal(text))::text", constant: text) }
}

extension DefaultValue where Value == Bool {
    /// Always this one.
    public static func value(_ value: Bool) -> Self { Self(String(value), constant: value) }
}

extension DefaultValue where Value: Enumeration {
    /// Always this one.
    public static func value(_ value: Value) -> Self { Self("\(literal(value.rawValue))::text", constant: value) }
}

/// Text as an SQL literal.
func literal(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
