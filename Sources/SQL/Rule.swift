/// A constraint on a column's values, or a way in which API clients can use the column. The column's constraints in
/// Postgres, the validation of request bodies and the API documentation are derived from the rules.
public struct Rule<Value: SQLValue>: Sendable {
    /// Adds the rule to the column's definition.
    let declare: @Sendable (inout ColumnDefinition) -> Void
    /// Validates a value: returns an error message, or `nil` for a valid value.
    var problem: (@Sendable (Value) -> String?)?
    /// The default that the rule gives the column; `nil` if it gives none.
    var defaultValue: DefaultValue<Value>?
    /// Computes the column's new value, from the old value and the current time, for an update of an in-memory row that
    /// does not set the column. `nil` if such an update leaves the column unchanged.
    var updatedValue: (@Sendable (Value, Timestamp) -> Value)?

    init(_ declare: @escaping @Sendable (inout ColumnDefinition) -> Void) { self.declare = declare }
}

extension Rule {
    /// The column belongs to the primary key.
    public static var primaryKey: Self { Self { $0.isPrimaryKey = true } }

    /// The column has a UNIQUE constraint, named `<table>_<column>_key`.
    public static var unique: Self { Self { $0.isUnique = true } }

    /// The column has a CHECK constraint with the given SQL expression, which only Postgres evaluates.
    public static func check(_ expression: String) -> Self { Self { $0.require(expression) } }

    /// Clients can read the field but not set it.
    public static var readOnly: Self { Self { $0.field.isReadOnly = true } }

    /// Clients can neither read nor set the field.
    public static var hidden: Self { Self { ($0.field.isHidden, $0.field.isReadOnly) = (true, true) } }

    /// Lists can be filtered by the column. For this, the table gets an index on the column and the primary key, unless
    /// the column is unique.
    public static var filterable: Self { Self { $0.field.isFilterable = true } }

    /// Lists can be sorted by the column. For this, the table gets two indexes: on the column and the primary key, and
    /// on the column in descending order and the primary key.
    public static var sortable: Self { Self { $0.field.isSortable = true } }

    /// The API documentation describes the column with a text and, optionally, an example.
    public static func described(_ text: String, example: String? = nil) -> Self {
        Self { ($0.field.summary, $0.field.example) = (text, example) }
    }
}

extension Rule where Value == Int64 {
    /// The column is the row's version number: 1 for a new row, incremented by every UPDATE. The row's entity tag is
    /// derived from the version number. Clients do not see the column.
    public static var version: Self {
        var rule = Self {
            ($0.field.isHidden, $0.field.isReadOnly, $0.isVersion) = (true, true, true)
            $0.onUpdate = "\($0.reference) + 1"
        }
        rule.defaultValue = .value(1)
        rule.updatedValue = { version, _ in version + 1 }
        return rule
    }
}

// MARK: Text

/// A type whose values are text, or optional text.
public protocol TextValue: SQLValue {
    /// The value as a string; `nil` if the value is NULL.
    var text: String? { get }
}

extension String: TextValue {
    public var text: String? { self }

    /// The number of Unicode scalars. They are counted as the bytes that are not UTF-8 continuation bytes, in a loop
    /// that the compiler vectorizes.
    fileprivate var scalarCount: Int {
        var text = self
        return text.withUTF8 { $0.reduce(0) { $0 + ($1 & 0xc0 != 0x80 ? 1 : 0) } }
    }
}

extension Optional: TextValue where Wrapped: TextValue {
    public var text: String? { flatMap(\.text) }
}

extension Rule where Value: TextValue {
    /// The number of characters, as Postgres counts them, must be in a range. If the range has an upper bound, the
    /// column's type is `character varying(n)`. Postgres does not check the lower bound.
    public static func length(_ length: ClosedRange<Int>) -> Self {
        var rule = Self {
            $0.field.length = length
            if length.upperBound < .max { $0.type = "character varying(\(length.upperBound))" }
        }
        rule.problem = { value in
            guard let text = value.text, !length.contains(text.scalarCount) else { return nil }
            if length.count == 1 { return "must have \(length.lowerBound) characters" }
            return length.upperBound < .max
                ? "must have \(length.lowerBound) to \(length.upperBound) characters"
                : "must have \(length.lowerBound) characters or more"
        }
        return rule
    }

    /// Leading and trailing white space is removed from the values that clients send.
    public static var trimmed: Self { Self { $0.field.isTrimmed = true } }

    /// The whole text must match a regular expression, for which the column has a CHECK constraint. Use only syntax
    /// that has the same meaning in Swift, Postgres and JSON Schema: no lookaround, and no character classes except
    /// bracket expressions.
    public static func pattern(_ pattern: String) -> Self {
        let regex = CompiledPattern(pattern)
        var rule = Self {
            $0.field.pattern = pattern
            $0.require("\($0.reference) ~ \(literal("^(?:\(pattern))$"))")
        }
        rule.problem = { value in
            guard let text = value.text, !regex.matches(text) else { return nil }
            return "must match \(pattern)"
        }
        return rule
    }

    /// The search parameter `q=` searches the column. For this, the table gets a trigram index.
    public static var searchable: Self { Self { $0.field.isSearchable = true } }
}

/// A compiled regular expression.
///
/// The unchecked conformance to `Sendable` is sound because `Regex` is immutable. `Regex` is not declared `Sendable`
/// only because a regex that was built from closures captures these closures; a regex that was compiled from text
/// captures nothing.
private struct CompiledPattern: @unchecked Sendable {
    private let regex: Regex<AnyRegexOutput>

    init(_ pattern: String) {
        do { regex = try Regex(pattern).matchingSemantics(.unicodeScalar) } catch {
            fatalError("\(pattern) is not a valid regular expression: \(error)")
        }
    }

    func matches(_ text: String) -> Bool { (try? regex.wholeMatch(in: text)) != nil }
}

// MARK: Ranges

/// A type whose values can be restricted to a range: a number, or an optional number.
public protocol RangedValue: SQLValue {
    /// The type of the range's bounds.
    associatedtype Bound: Comparable & Sendable
    /// The value to compare with the range's bounds; `nil` if the value is NULL.
    var bounded: Bound? { get }
}

extension RangedValue where Self: Comparable {
    public var bounded: Self? { self }
}

extension Int16: RangedValue {}
extension Int32: RangedValue {}
extension Int64: RangedValue {}
extension Double: RangedValue {}

extension Optional: RangedValue where Wrapped: RangedValue {
    public var bounded: Wrapped.Bound? { flatMap(\.bounded) }
}

extension Rule where Value: RangedValue {
    /// The value must be in a range, for which the column has a CHECK constraint.
    public static func range(_ range: ClosedRange<Value.Bound>) -> Self {
        var rule = Self {
            ($0.field.minimum, $0.field.maximum) = ("\(range.lowerBound)", "\(range.upperBound)")
            $0.require("\($0.reference) >= \(range.lowerBound) AND \($0.reference) <= \(range.upperBound)")
        }
        rule.problem = { value in
            guard let bound = value.bounded, !range.contains(bound) else { return nil }
            return "must lie between \(range.lowerBound) and \(range.upperBound)"
        }
        return rule
    }
}
