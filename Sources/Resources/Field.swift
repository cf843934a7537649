import ORM
import SQL
import Web

/// A column as clients see it, which defines how values are parsed, written, filtered and sorted. Everything is derived
/// from the definition of the column.
public final class Field<Model: ORM.Model>: Sendable {
    /// The name of the field, which is the name of the column.
    public let name: String
    /// The definition of the column.
    let column: ColumnDefinition
    /// The JSON Schema of the values.
    let schema: JSON
    /// The type of the values.
    let value: any FieldValue.Type
    /// The offset of the column's property in the model's memory layout, in bytes.
    let offset: Int
    /// Returns the field's value in a row, as text for CSV.
    let text: @Sendable (Model) -> String
    /// Parses a value from a request body, validates the value against the rules of the column, and returns the
    /// assignment.
    let read: @Sendable (JSON) throws(FieldProblem) -> Assignment<Model>
    /// The assignment that resets the column to its default, or to NULL; `nil` when the column has no default and is
    /// not nullable.
    let reset: Assignment<Model>?
    /// The assignment for a new row when the client omits the field: the constant default, or NULL if a nullable column
    /// has no default; `nil` for all other columns, which the INSERT then omits.
    let constant: Assignment<Model>?
    /// Parses a query parameter as a condition on the column.
    let filter: @Sendable (Query.Parameter) throws(FieldProblem) -> Condition<Model>
    /// Returns the ordering by the column, starting after the value `position` when that is not `nil`. The closure
    /// itself is `nil` when the values of the column have no order.
    let order: (@Sendable (_ isAscending: Bool, _ position: [UInt8]?) throws -> Ordering<Model>)?
    /// Returns the position of a row in the order by the column: the value in binary format; `nil` for NULL.
    let position: @Sendable (Model) -> [UInt8]?
    /// Returns the condition that the value contains a text. The closure itself is `nil` when the search `q=` does not
    /// cover the field.
    let search: (@Sendable (String) -> Condition<Model>)?
    /// The operators that filters by the field support besides equality.
    let operators: [String]

    fileprivate init(
        name: String, column: ColumnDefinition, schema: JSON, value: any FieldValue.Type, offset: Int,
        text: @escaping @Sendable (Model) -> String,
        read: @escaping @Sendable (JSON) throws(FieldProblem) -> Assignment<Model>, reset: Assignment<Model>?,
        constant: Assignment<Model>?,
        filter: @escaping @Sendable (Query.Parameter) throws(FieldProblem) -> Condition<Model>,
        order: (@Sendable (_ isAscending: Bool, _ position: [UInt8]?) throws -> Ordering<Model>)?,
        position: @escaping @Sendable (Model) -> [UInt8]?, search: (@Sendable (String) -> Condition<Model>)?,
        operators: [String]
    ) {
        (self.name, self.column, self.schema, self.value, self.offset) = (name, column, schema, value, offset)
        (self.text, self.read, self.reset, self.constant) = (text, read, reset, constant)
        (self.filter, self.order, self.position, self.search) = (filter, order, position, search)
        self.operators = operators
    }

    /// Whether a client must send the field to create a row.
    var isRequired: Bool { !isReadOnly && reset == nil }
    /// Whether clients can read the field, but not set it.
    var isReadOnly: Bool { column.field.isReadOnly }
}

/// A column whose values have a representation in JSON and in query parameters.
private protocol FieldColumn<Model>: Sendable {
    associatedtype Model: ORM.Model
    var derivedField: Field<Model> { get }
}

/// A column whose values can be compared.
private protocol OrderedColumn<Model>: Sendable {
    associatedtype Model: Sendable
    /// Returns the condition of a comparison with the value of a query parameter. The operator is `gt`, `gte`, `lt` or
    /// `lte`; returns `nil` for other operators.
    func compared(_ operation: String, _ parameter: String) throws(FieldProblem) -> Condition<Model>?
    /// Returns the conditions for the range that `parameter` stands for; `nil` when it stands for a single value.
    func range(_ parameter: String) throws(FieldProblem) -> RangeConditions<Model>?
    /// Returns the ordering by the column, starting after the value `position` when that is not `nil`.
    func ordering(_ isAscending: Bool, _ position: [UInt8]?) throws -> Ordering<Model>
}

/// A nullable column whose values other than NULL can be compared.
private protocol NullableColumn<Model>: Sendable {
    associatedtype Model: Sendable
    /// Returns the conditions for the range that `parameter` stands for; `nil` when it stands for a single value.
    func range(_ parameter: String) throws(FieldProblem) -> RangeConditions<Model>?
}

/// The conditions that a value is in a range, such as all times within a second, and that it is outside. NULL meets
/// neither.
private struct RangeConditions<Model: Sendable> {
    let inside: Condition<Model>
    let outside: Condition<Model>
}

/// Parses the value of a query parameter that stands for a range; returns `nil` when it stands for a single value.
private typealias RangeParser<Model: Sendable> =
    @Sendable (_ parameter: String) throws(FieldProblem) -> RangeConditions<Model>?

/// A value that is `nil` for NULL.
private protocol NullableValue: FieldValue {
    associatedtype Wrapped
    var wrapped: Wrapped? { get }
}

extension Optional: NullableValue where Wrapped: FieldValue {
    fileprivate var wrapped: Wrapped? { self }
}

/// A column whose values are text.
private protocol TextColumn<Model>: Sendable {
    associatedtype Model: Sendable
    /// Returns the condition that the value contains `text`.
    func containing(_ text: String) -> Condition<Model>
}

extension TableColumn where Model: ORM.Model {
    /// The field of the column; `nil` when the type of the column is not a `FieldValue`.
    var field: Field<Model>? { (self as? any FieldColumn<Model>)?.derivedField }
}

extension Column: FieldColumn where Model: ORM.Model, Value: FieldValue {
    fileprivate var derivedField: Field<Model> {
        let (path, isTrimmed) = (path, definition.field.isTrimmed)
        guard let offset = MemoryLayout<Model>.offset(of: path) else {
            fatalError("the column \(definition.name) is not a stored property of \(Model.self)")
        }
        let (ordered, range) = (self as? any OrderedColumn<Model>, rangeParser)
        return Field(
            name: definition.name, column: definition, schema: definition.refining(Value.schema),
            value: Value.self, offset: offset,
            text: { $0[keyPath: path].text },
            read: { json throws(FieldProblem) in
                let value = isTrimmed ? try Value(json: json).trimmingWhiteSpace : try Value(json: json)
                if let problem = problem(with: value) { throw FieldProblem(problem) }
                return set(to: value)
            },
            reset: reset(), constant: constant(),
            filter: { parameter throws(FieldProblem) in try condition(parameter, ordered, range) },
            order: ordered.map(order),
            position: { self.bytes(in: $0) }, search: search, operators: operators(isOrdered: ordered != nil))
    }

    private var search: (@Sendable (String) -> Condition<Model>)? {
        guard definition.field.isSearchable, let column = self as? any TextColumn<Model> else { return nil }
        return { column.containing($0) }
    }

    private func order(
        _ column: any OrderedColumn<Model>
    ) -> @Sendable (_ isAscending: Bool, _ position: [UInt8]?) throws -> Ordering<Model> {
        { try column.ordering($0, $1) }
    }

    /// The parser of ranges; `nil` when the values of the column have no order.
    private var rangeParser: RangeParser<Model>? {
        if let column = self as? any OrderedColumn<Model> {
            return { text throws(FieldProblem) in try column.range(text) }
        }
        guard let column = self as? any NullableColumn<Model> else { return nil }
        return { text throws(FieldProblem) in try column.range(text) }
    }

    private func operators(isOrdered: Bool) -> [String] {
        let isText = Value.type == String.type
        return Value.type == Bool.type ? [] : ["ne", "in"] + (isOrdered && !isText ? ["gt", "gte", "lt", "lte"] : [])
    }

    private func condition(
        _ parameter: Query.Parameter, _ ordered: (any OrderedColumn<Model>)?, _ range: RangeParser<Model>?
    ) throws(FieldProblem) -> Condition<Model> {
        let known = operators(isOrdered: ordered != nil)
        guard let operation = parameter.operation else {
            if let range = try range?(parameter.value) { return range.inside }
            return self == (try Value(parameter: parameter.value))
        }
        guard known.contains(operation) else {
            throw FieldProblem(
                "has no operator \(operation.prefix(20)): "
                    + (known.isEmpty ? "it supports none" : "it supports \(known.joined(separator: ", "))")
            )
        }
        switch operation {
        case "ne":
            if let range = try range?(parameter.value) { return range.outside }
            return self != (try Value(parameter: parameter.value))
        case "in":
            let texts = parameter.value.split(separator: ",").map(String.init)
            guard texts.count <= 1000 else { throw FieldProblem("may list at most 1000 values") }
            return try oneOf(texts, range)
        default:
            guard let condition = try ordered?.compared(operation, parameter.value) else {
                throw FieldProblem("has no operator \(operation)")
            }
            return condition
        }
    }
}

extension Column where Model: ORM.Model, Value: FieldValue {
    /// Returns the condition that the value is one of those in `texts`. A text can stand for a range of values: a time
    /// without a fraction stands for all times within its second.
    fileprivate func oneOf(_ texts: [String], _ range: RangeParser<Model>?) throws(FieldProblem) -> Condition<Model> {
        var (values, ranges): ([Value], [Condition<Model>]) = ([], [])
        for text in texts {
            if let range = try range?(text) {
                ranges.append(range.inside)
            } else {
                values.append(try Value(parameter: text))
            }
        }
        guard let first = ranges.first else { return isIn(values) }
        return ranges.dropFirst().reduce(values.isEmpty ? first : isIn(values) || first) { $0 || $1 }
    }
}

extension Column where Model: ORM.Model {
    /// Returns the conditions for the range that `parameter` stands for; `nil` when it stands for a single value.
    /// `comparable` returns the value to compare; `nil` for NULL.
    fileprivate func range<Bound: FieldValue & Comparable>(
        _ parameter: String, _ comparable: @escaping @Sendable (Value) -> Bound?
    ) throws(FieldProblem) -> RangeConditions<Model>? {
        let first = try Bound(parameter: parameter)
        let last = Bound.upperBound(of: first, writtenAs: parameter)
        guard last != first else { return nil }
        return RangeConditions(
            inside: compared(" >= ", first) { comparable($0).map { $0 >= first } ?? false }
                && compared(" <= ", last) { comparable($0).map { $0 <= last } ?? false },
            outside: compared(" < ", first) { comparable($0).map { $0 < first } ?? false }
                || compared(" > ", last) { comparable($0).map { $0 > last } ?? false })
    }
}

extension Column: NullableColumn
where Model: ORM.Model, Value: NullableValue, Value.Wrapped: FieldValue & Comparable {
    fileprivate func range(_ parameter: String) throws(FieldProblem) -> RangeConditions<Model>? {
        try range(parameter) { $0.wrapped }
    }
}

extension Column: OrderedColumn where Model: ORM.Model, Value: FieldValue & Comparable {
    fileprivate func compared(_ operation: String, _ parameter: String) throws(FieldProblem) -> Condition<Model>? {
        let value = try Value(parameter: parameter)
        let last = Value.upperBound(of: value, writtenAs: parameter)
        return switch operation {
        case "gt": self > last
        case "gte": self >= value
        case "lt": self < value
        case "lte": self <= last
        default: nil
        }
    }

    fileprivate func range(_ parameter: String) throws(FieldProblem) -> RangeConditions<Model>? {
        try range(parameter) { $0 }
    }

    fileprivate func ordering(_ isAscending: Bool, _ position: [UInt8]?) throws -> Ordering<Model> {
        guard let position else { return isAscending ? ascending : descending }
        let value = try position.withUnsafeBytes { try Value(binary: $0) }
        var bytes: [UInt8] = []
        guard value.encode(into: &bytes), bytes == position, !value.text.utf8.contains(0) else {
            throw FieldProblem("is not a value of a row")
        }
        return isAscending ? ascending(after: value) : descending(after: value)
    }
}

extension Column: TextColumn where Model: ORM.Model, Value: FieldValue & TextValue {
    fileprivate func containing(_ text: String) -> Condition<Model> { contains(text) }
}

extension ColumnDefinition {
    /// Returns the JSON Schema of a type, refined by the rules of the column.
    fileprivate func refining(_ schema: JSON) -> JSON {
        var schema = schema
        if let length = field.length {
            schema = schema.adding("minLength", .number(String(length.lowerBound)))
            if length.upperBound < .max { schema = schema.adding("maxLength", .number(String(length.upperBound))) }
        }
        return schema.adding("minimum", field.minimum.map(JSON.number)).adding(
            "maximum", field.maximum.map(JSON.number)
        )
        .adding("pattern", field.pattern.map { .string("^(?:\($0))$") })
        .adding("description", field.summary.map(JSON.string))
        .adding("readOnly", field.isReadOnly ? true : nil)
    }
}
