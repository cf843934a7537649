import Postgres
import SQL

/// A model's table: what Postgres knows of it, and how its rows become models.
///
/// The columns are listed in the order of the parameters of `make`, which is the model's own memberwise initializer. One that is
/// missing, or has another type, does not compile; two of one type that are swapped are found by `misplacedColumns`.
public struct Table<Model: Sendable>: Sendable {
    /// What Postgres knows of it.
    public let definition: TableDefinition
    let decode: @Sendable (inout Row) throws(DecodingError) -> Model
    let create: @Sendable ([Assignment<Model>], _ serial: Int64, _ now: Timestamp) throws -> Model
    private let misplaced: @Sendable () -> [String]

    /// Makes a table.
    public init<each Value: SQLValue>(
        _ name: String, _ columns: repeat Column<Model, each Value>, indexes: [IndexDefinition] = [],
        make: @escaping @Sendable (repeat each Value) -> Model
    ) {
        var definitions: [ColumnDefinition] = []
        for column in repeat each columns { definitions.append(column.definition) }
        definition = TableDefinition(name, columns: definitions, indexes: indexes)
        decode = { row throws(DecodingError) in make(repeat try row.next((each Value).self)) }
        create = { values, serial, now in make(repeat try (each columns).value(among: values, serial, now)) }
        let count = definitions.count
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

extension Column {
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
        guard let value = fallback?.make(serial, now) ?? Value.null else {
            throw DecodingError("\(definition.name) has no value and no default")
        }
        return value
    }
}
