/// What a column's values must be, or what clients may do with it; from it follow the column's constraint, the check of what clients
/// send, and the documentation.
public struct Rule<Value: SQLValue>: Sendable {
    let declare: @Sendable (inout ColumnDefinition) -> Void
    var problem: (@Sendable (Value) -> String?)?
    var fallback: DefaultValue<Value>?
    var successor: (@Sendable (Value, Timestamp) -> Value)?

    init(_ declare: @escaping @Sendable (inout ColumnDefinition) -> Void) { self.declare = declare }
}

extension Rule {
    /// It names a row.
    public static var primaryKey: Self { Self { $0.isPrimaryKey = true } }

    /// No two rows have the same value: constraint `<table>_<column>_key`.
    public static var unique: Self { Self { $0.isUnique = true } }

    /// Each value meets an expression of SQL's, which Postgres alone checks.
    public static func check(_ expression: String) -> Self { Self { $0.require(expression) } }

    /// Clients see it, and do not set it.
    public static var readOnly: Self { Self { $0.field.isReadOnly = true } }

    /// Clients neither see nor set it.
    public static var hidden: Self { Self { ($0.field.isHidden, $0.field.isReadOnly) = (true, true) } }

    /// Lists can be filtered by it: an index on the column and the key answers that.
    public static var filterable: Self { Self { $0.field.isFilterable = true } }

    /// Lists can be sorted by it: indexes on the column and the key, and on the column descending and the key, answer that.
    public static var sortable: Self { Self { $0.field.isSortable = true } }

    /// What it is, for people.
    public static func described(_ text: String, example: String? = nil) -> Self {
        Self { ($0.field.summary, $0.field.example) = (text, example) }
    }
}

extension Rule where Value == Int64 {
    /// It counts the changes of a row from 1 on: what the row's entity tag is made of. Clients do not see it.
    public static var version: Self {
        var rule = Self {
            ($0.field.isHidden, $0.field.isReadOnly, $0.isVersion) = (true, true, true)
            $0.onUpdate = "\($0.reference) + 1"
        }
        rule.fallback = .value(1)
        rule.successor = { version, _ in version + 1 }
        return rule
    }
}

// MARK: Text

/// Text, or text that may be missing.
public protocol TextValue: SQLValue {
    /// The text, if there is one.
    var text: String? { get }
}

extension String: TextValue {
    public var text: String? { self }

    /// The number of Unicode scalars: of bytes that do not go on with one, which the compiler counts in vectors.
    fileprivate var scalarCount: Int {
        var text = self
        return text.withUTF8 { $0.reduce(0) { $0 + ($1 & 0xc0 != 0x80 ? 1 : 0) } }
    }
}

extension Optional: TextValue where Wrapped: TextValue {
    public var text: String? { flatMap(\.text) }
}

extension Rule where Value: TextValue {
    /// It has so many characters, as Postgres counts them: its type is `character varying(n)`, where there is an upper bound.
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

    /// White space at its ends does not belong to it.
    public static var trimmed: Self { Self { $0.field.isTrimmed = true } }

    /// All of it matches a regular expression, one that means the same to Swift, Postgres and JSON Schema: no lookaround, no classes
    /// but those in brackets. The column has a check.
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

    /// `q=` looks into it: a trigram index answers that.
    public static var searchable: Self { Self { $0.field.isSearchable = true } }
}

/// A regular expression that is compiled once.
///
/// Sound as `@unchecked Sendable`: `Regex` is immutable, and not `Sendable` only because others may hold closures; one that is made
/// of text holds none.
private struct CompiledPattern: @unchecked Sendable {
    private let regex: Regex<AnyRegexOutput>

    init(_ pattern: String) {
        do { regex = try Regex(pattern).matchingSemantics(.unicodeScalar) } catch {
            preconditionFailure("\(pattern) is no regular expression: \(error)")
        }
    }

    func matches(_ text: String) -> Bool { (try? regex.wholeMatch(in: text)) != nil }
}

// MARK: Ranges

/// A value that is ordered, or one that may be missing.
public protocol RangedValue: SQLValue {
    associatedtype Bound: Comparable & Sendable
    /// The value, if there is one.
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
    /// It lies in a range: the column has a check.
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
