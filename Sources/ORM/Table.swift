import Postgres
import SQL

/// A model's table: what Postgres knows of it, and how its rows become models.
///
/// The columns are listed in the order of the parameters of `make`, which is the model's own memberwise initializer. One that is
/// missing, or has another type, does not compile; two of one type that are swapped are found by `misplacedColumns`.
public final class Table<Model: Sendable>: Sendable {
    /// What Postgres knows of it.
    public let definition: TableDefinition
    /// Its columns, in order.
    public let columns: [any TableColumn<Model>]
    /// The column that counts a row's changes; `nil` when there is none.
    public let version: Column<Model, Int64>?
    let decode: @Sendable (inout ResultRow) throws(DecodingError) -> Model
    let create: @Sendable ([Assignment<Model>], _ serial: Int64, _ now: Timestamp) throws -> Model
    private let misplaced: @Sendable () -> [String]

    /// Makes a table.
    /// - Parameter recordsChanges: whether each change of its rows is recorded, and answers `GET /<prefix>/<id>/history`.
    public init<each Value: SQLValue>(
        _ name: String, _ columns: repeat Column<Model, each Value>, indexes: [IndexDefinition] = [],
        recordsChanges: Bool = false, make: @escaping @Sendable (repeat each Value) -> Model
    ) {
        var all: [any TableColumn<Model>] = []
        for column in repeat each columns { all.append(column) }
        self.columns = all
        version = all.first { $0.definition.isVersion } as? Column<Model, Int64>
        definition = TableDefinition(
            name, columns: all.map { $0.definition }, indexes: indexes, recordsChanges: recordsChanges)
        decode = { row throws(DecodingError) in make(repeat try row.next((each Value).self)) }
        create = { values, serial, now in make(repeat try (each columns).value(among: values, serial, now)) }
        let count = all.count
        misplaced = {
            (0..<count).flatMap { changed in
                var places = (0..<count).makeIterator()
                let model = make(repeat sample((each Value).self, places.next() == changed ? 1 : 0))
                var names: [String] = []
                places = (0..<count).makeIterator()
                for column in repeat each columns {
                    let sample = places.next() == changed ? 1 : 0
                    if !column.reads(sample, in: model) { names.append(column.definition.name) }
                }
                return names
            }
        }
    }

    /// The columns whose key path does not lead to what `make` puts there: none, unless two are swapped.
    public var misplacedColumns: Set<String> { Set(misplaced()) }
}

private func sample<Value: SQLValue>(_: Value.Type, _ index: Int) -> Value { Value.samples[index] }

/// A column, whatever its values are: what can be done with it for any row.
public protocol TableColumn<Model>: Sendable {
    associatedtype Model: Sendable

    /// What Postgres knows of it.
    var definition: ColumnDefinition { get }
    /// A row's value in binary form; `nil` is NULL.
    func bytes(in row: Model) -> [UInt8]?
    /// What is wrong with a row's value, by the column's rules; `nil` when nothing is.
    func problem(in row: Model) -> String?
    /// Takes a row's value away, where there may be none.
    func clear(_ row: inout Model)
    /// Makes of a row's value what an update makes of it.
    func update(_ row: inout Model, now: Timestamp)
}

extension Column: TableColumn {
    public func bytes(in row: Model) -> [UInt8]? { bytes(of: row[keyPath: path]) }

    public func problem(in row: Model) -> String? { problem(with: row[keyPath: path]) }

    public func clear(_ row: inout Model) {
        if let null = Value.null { row[keyPath: path] = null }
    }

    public func update(_ row: inout Model, now: Timestamp) {
        if let updatedValue { row[keyPath: path] = updatedValue(row[keyPath: path], now) }
    }

    /// Whether a model has one of the samples at this column's place.
    fileprivate func reads(_ sample: Int, in model: Model) -> Bool {
        bytes(of: model[keyPath: path]) == bytes(of: Value.samples[sample])
    }

    private func bytes(of value: Value) -> [UInt8]? {
        var bytes: [UInt8] = []
        return value.encode(into: &bytes) ? bytes : nil
    }

    /// The value for a new row in memory: the one that is given, else the default, else NULL.
    fileprivate func value(
        among values: [Assignment<Model>], _ serial: Int64, _ now: Timestamp
    ) throws -> Value {
        for assignment in values {
            if let value = assignment.value(of: self) { return value }
        }
        guard let value = defaultValue?.make(serial, now) ?? Value.null else {
            throw DecodingError("\(definition.name) has no value and no default")
        }
        return value
    }
}
