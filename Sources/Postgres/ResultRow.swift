import SQL

/// A row of a result, whose columns are read from left to right.
public struct ResultRow {
    private let result: Result
    private let index: Int32
    private var column: Int32 = 0

    init(result: Result, index: Int32) {
        self.result = result
        self.index = index
    }

    /// Decodes the next column. The column's type is not checked.
    /// - Throws: `DecodingError` if the bytes are not a valid `Value`, or if the column is NULL or missing and `Value`
    ///   is not optional.
    public mutating func next<Value: SQLValue>(_: Value.Type = Value.self) throws(DecodingError) -> Value {
        defer { column += 1 }
        return try result.cell(index, column)
    }
}
