import Postgres
import SQL

/// A model's table: the definition in Postgres, and the conversion between rows and models.
///
/// The columns are listed in the order of the parameters of `make`, which is the model's memberwise initializer. A
/// column that is missing or has another type is a compile-time error; two columns of the same type that are swapped
/// are found by `misplacedColumns`.
public final class Table<Model: Sendable>: Sendable {
    /// The table's definition in Postgres.
    public let definition: TableDefinition
    /// The columns, in the order of the parameters of the model's memberwise initializer.
    public let columns: [any TableColumn<Model>]
    /// The column with the row's version number; `nil` if there is none.
    public let version: Column<Model, Int64>?
    /// Decodes a row of a result as a model.
    let decode: @Sendable (inout ResultRow) throws(DecodingError) -> Model
    /// Creates an in-memory row from assignments and the columns' defaults.
    let create: @Sendable ([Assignment<Model>], _ serial: Int64, _ now: Timestamp) throws -> Model
    private let misplaced: @Sendable () -> [String]

    /// Creates a table.
    /// - Parameters:
    ///   - name: The name of the table.
    ///   - columns: The columns, in the order of the parameters of `make`.
    ///   - indexes: Additional indexes. The columns' rules imply indexes, too; an additional index replaces an implied
    ///     index of the same name.
    ///   - recordsChanges: Whether each change of a row is recorded and available at `GET /<prefix>/<id>/history`.
    ///   - make: The model's memberwise initializer.
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
                var indexes = (0..<count).makeIterator()
                let model = make(repeat sample((each Value).self, indexes.next() == changed ? 1 : 0))
                var names: [String] = []
                indexes = (0..<count).makeIterator()
                for column in repeat each columns {
                    if !column.reads(indexes.next() == changed ? 1 : 0, in: model) {
                        names.append(column.definition.name)
                    }
                }
                return names
            }
        }
    }

    /// The names of columns that are listed in the wrong place: the column's key path does not lead to the property
    /// that `make` initializes from the parameter at the column's index. Empty unless columns are swapped.
    public var misplacedColumns: Set<String> { Set(misplaced()) }
}

/// Returns the first (index 0) or second (index 1) of the type's `samples`. If the type has only one value, returns
/// that value for either index.
private func sample<Value: SQLValue>(_: Value.Type, _ index: Int) -> Value {
    Value.samples[min(index, Value.samples.count - 1)]
}

/// A column of a model's table whose value type is erased.
public protocol TableColumn<Model>: Sendable {
    /// The model of the column's table.
    associatedtype Model: Sendable

    /// The column's definition in Postgres.
    var definition: ColumnDefinition { get }
    /// Returns the column's value in a row, in binary form; `nil` is NULL.
    func bytes(in row: Model) -> [UInt8]?
    /// Validates the column's value in a row against the column's rules. Returns an error message, or `nil` for a valid
    /// value.
    func problem(in row: Model) -> String?
    /// Sets the column's value in a row to NULL if the column is nullable.
    func clear(_ row: inout Model)
    /// Changes the column's value in a row when an update does not set the column: to the next version number, for
    /// example. Most columns keep their value.
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

    /// Whether the model's property for this column equals the value that `sample(_:_:)` returns for an index, 0 or 1.
    fileprivate func reads(_ index: Int, in model: Model) -> Bool {
        bytes(of: model[keyPath: path]) == bytes(of: sample(Value.self, index))
    }

    private func bytes(of value: Value) -> [UInt8]? {
        var bytes: [UInt8] = []
        return value.encode(into: &bytes) ? bytes : nil
    }

    /// Returns the column's value for a new in-memory row: the assigned value, otherwise the default, otherwise NULL.
    /// - Throws: `ConstraintViolation` if the column has no value, has no default and is not nullable.
    fileprivate func value(
        among values: [Assignment<Model>], _ serial: Int64, _ now: Timestamp
    ) throws -> Value {
        for assignment in values {
            if let value = assignment.value(of: self) { return value }
        }
        guard let value = defaultValue?.compute(serial, now) ?? Value.null else {
            throw ConstraintViolation(.missingValue, column: definition.name)
        }
        return value
    }
}
