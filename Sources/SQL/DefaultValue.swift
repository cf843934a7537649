/// A column's default, for an INSERT that omits the column: an SQL expression, and the expression's counterpart for
/// in-memory rows.
public struct DefaultValue<Value: SQLValue>: Sendable {
    /// The default as an SQL expression; `nil` for a `serial` column, whose default is the next value of the column's
    /// sequence.
    public let expression: String?
    /// Whether the default is the next value of the column's sequence.
    let isSerial: Bool
    /// The default value if it is a constant, otherwise `nil`.
    public let constant: Value?
    /// Computes the default value for a new in-memory row from the next number of the sequence and the current time.
    public let compute: @Sendable (_ serial: Int64, _ now: Timestamp) -> Value

    private init(
        _ expression: String?, isSerial: Bool = false, compute: @escaping @Sendable (Int64, Timestamp) -> Value
    ) {
        (self.expression, self.isSerial, self.compute) = (expression, isSerial, compute)
        constant = nil
    }

    private init(_ expression: String, constant: Value) {
        (self.expression, isSerial, self.constant) = (expression, false, constant)
        compute = { _, _ in constant }
    }
}

extension DefaultValue where Value: FixedWidthInteger {
    /// A default that is the next value of the column's own sequence (`serial`).
    public static var serial: Self { Self(nil, isSerial: true) { serial, _ in Value(serial) } }

    /// Returns a default that is a constant number.
    public static func value(_ value: Value) -> Self { Self(String(value), constant: value) }
}

extension DefaultValue where Value == Timestamp {
    /// A default that is the start time of the transaction: `now()`.
    public static var now: Self { Self("now()") { _, now in now } }
}

extension DefaultValue where Value == String {
    /// Returns a default that is a constant text.
    public static func value(_ text: String) -> Self { Self("\(literal(text))::text", constant: text) }
}

extension DefaultValue where Value == Bool {
    /// Returns a default that is a constant.
    public static func value(_ value: Bool) -> Self { Self(String(value), constant: value) }
}

extension DefaultValue where Value: Enumeration {
    /// Returns a default that is a constant.
    public static func value(_ value: Value) -> Self { Self("\(literal(value.rawValue))::text", constant: value) }
}

/// Returns text as an SQL string literal, in quotes, with quotes in the text doubled.
func literal(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
