import ORM
import SQL
import Web

/// A column as clients know it: how it is read, written, filtered and sorted by. All of it follows from the column.
public final class Field<Model: ORM.Model>: Sendable {
    /// Its name.
    public let name: String
    /// The column.
    let column: ColumnDefinition
    /// What it is, as JSON Schema.
    let schema: JSON
    /// The type of its values.
    let value: any FieldValue.Type
    /// Where a row has its value, in bytes from the row's beginning.
    let offset: Int
    /// The value of a row in CSV.
    let text: @Sendable (Model) -> String
    /// Reads what a client sends, and checks it by the column's rules.
    let read: @Sendable (JSON) throws(FieldProblem) -> Assignment<Model>
    /// What the column becomes when it is to have its default, or no value; `nil` when a client must give it one.
    let reset: Assignment<Model>?
    /// What an insert says of the column when the client does not; `nil` when it says nothing.
    let constant: Assignment<Model>?
    /// The condition that a parameter of the query sets.
    let filter: @Sendable (Query.Parameter) throws(FieldProblem) -> Condition<Model>
    /// The order by it, and from behind a position on; `nil` when its values have no order.
    let order: (@Sendable (_ isAscending: Bool, _ position: [UInt8]?) throws -> Ordering<Model>)?
    /// A row's position in that order.
    let position: @Sendable (Model) -> [UInt8]?
    /// The condition that a text is part of its value; `nil` when `q=` does not look into it.
    let search: (@Sendable (String) -> Condition<Model>)?
    /// The operators that its filter knows besides equality.
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

    /// Whether a client must say it when it makes a row.
    var isRequired: Bool { !isReadOnly && reset == nil }
    var isReadOnly: Bool { column.field.isReadOnly }
}

/// A column whose values clients can send and see.
private protocol FieldColumn<Model>: Sendable {
    associatedtype Model: ORM.Model
    var madeField: Field<Model> { get }
}

/// A column whose values have an order besides.
private protocol OrderedColumn<Model>: Sendable {
    associatedtype Model: Sendable
    func compared(_ operation: String, _ parameter: String) throws(FieldProblem) -> Condition<Model>?
    /// The range of the values that are shown like one; `nil` when that is one value.
    func equal(to parameter: String) throws(FieldProblem) -> Condition<Model>?
    func ordering(_ isAscending: Bool, _ position: [UInt8]?) throws -> Ordering<Model>
}

/// A column whose values are text.
private protocol TextColumn<Model>: Sendable {
    associatedtype Model: Sendable
    func containing(_ text: String) -> Condition<Model>
}

extension TableColumn where Model: ORM.Model {
    /// The field of a column; `nil` when its values have no form that clients could send or see.
    var field: Field<Model>? { (self as? any FieldColumn<Model>)?.madeField }
}

extension Column: FieldColumn where Model: ORM.Model, Value: FieldValue {
    fileprivate var madeField: Field<Model> {
        let (path, isTrimmed) = (path, definition.field.isTrimmed)
        guard let offset = MemoryLayout<Model>.offset(of: path) else {
            preconditionFailure("the column \(definition.name) is no stored property of \(Model.self)")
        }
        let ordered = self as? any OrderedColumn<Model>
        return Field(
            name: definition.name, column: definition, schema: definition.refining(Value.schema),
            value: Value.self, offset: offset,
            text: { $0[keyPath: path].text },
            read: { json throws(FieldProblem) in
                let value = isTrimmed ? try Value(json: json).withoutOuterSpace : try Value(json: json)
                if let problem = problem(with: value) { throw FieldProblem(problem) }
                return set(to: value)
            },
            reset: reset(), constant: constant(),
            filter: { parameter throws(FieldProblem) in try condition(parameter, ordered) },
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

    private func operators(isOrdered: Bool) -> [String] {
        let isText = Value.type == String.type
        return Value.type == Bool.type ? [] : ["ne", "in"] + (isOrdered && !isText ? ["gt", "gte", "lt", "lte"] : [])
    }

    private func condition(
        _ parameter: Query.Parameter, _ ordered: (any OrderedColumn<Model>)?
    ) throws(FieldProblem) -> Condition<Model> {
        let known = operators(isOrdered: ordered != nil)
        guard let operation = parameter.operation else {
            if let range = try ordered?.equal(to: parameter.value) { return range }
            return self == (try Value(parameter: parameter.value))
        }
        guard known.contains(operation) else {
            throw FieldProblem(
                "has no operator \(operation.prefix(20)): there is \(known.isEmpty ? "none" : known.joined(separator: ", "))"
            )
        }
        switch operation {
        case "ne":
            if let equal = try ordered?.equal(to: parameter.value) { return !equal }
            return self != (try Value(parameter: parameter.value))
        case "in":
            let texts = parameter.value.split(separator: ",").map(String.init)
            guard texts.count <= 1000 else { throw FieldProblem("may be one of 1000 values at most") }
            return try oneOf(texts, ordered)
        default:
            guard let condition = try ordered?.compared(operation, parameter.value) else {
                throw FieldProblem("has no operator \(operation)")
            }
            return condition
        }
    }
}

extension Column where Model: ORM.Model, Value: FieldValue {
    /// One of several values, or in the range of one that is shown rounded down.
    fileprivate func oneOf(
        _ texts: [String], _ ordered: (any OrderedColumn<Model>)?
    ) throws(FieldProblem) -> Condition<Model> {
        var (values, ranges): ([Value], [Condition<Model>]) = ([], [])
        for text in texts {
            if let range = try ordered?.equal(to: text) {
                ranges.append(range)
            } else {
                values.append(try Value(parameter: text))
            }
        }
        guard let first = ranges.first else { return isIn(values) }
        return ranges.dropFirst().reduce(first) { $0 || $1 }
    }
}

extension Column: OrderedColumn where Model: ORM.Model, Value: FieldValue & Comparable {
    fileprivate func compared(_ operation: String, _ parameter: String) throws(FieldProblem) -> Condition<Model>? {
        let value = try Value(parameter: parameter)
        let last = Value.last(shownLike: value, parameter)
        return switch operation {
        case "gt": self > last
        case "gte": self >= value
        case "lt": self < value
        case "lte": self <= last
        default: nil
        }
    }

    fileprivate func equal(to parameter: String) throws(FieldProblem) -> Condition<Model>? {
        let value = try Value(parameter: parameter)
        let last = Value.last(shownLike: value, parameter)
        return last == value ? nil : self >= value && self <= last
    }

    fileprivate func ordering(_ isAscending: Bool, _ position: [UInt8]?) throws -> Ordering<Model> {
        guard let position else { return isAscending ? ascending : descending }
        let value = try position.withUnsafeBytes { try Value(binary: $0) }
        var bytes: [UInt8] = []
        guard value.encode(into: &bytes), bytes == position, !value.text.utf8.contains(0) else {
            throw FieldProblem("is no value of a row")
        }
        return isAscending ? ascending(after: value) : descending(after: value)
    }
}

extension Column: TextColumn where Model: ORM.Model, Value: FieldValue & TextValue {
    fileprivate func containing(_ text: String) -> Condition<Model> { contains(text) }
}

extension ColumnDefinition {
    /// A type's schema with what the column's rules add to it.
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
