/// The parameters of a statement, in order, encoded into one buffer.
public struct Bindings: Sendable {
    /// Where a parameter's bytes lie, and what they are.
    public struct Parameter: Sendable {
        /// The Postgres type's object id.
        public let type: UInt32
        /// The first byte's place in the buffer.
        public let offset: Int
        /// The number of bytes, or `nil` for NULL.
        public let count: Int?
    }

    /// All parameters' bytes, one after the other.
    public private(set) var buffer: [UInt8] = []
    /// The parameters: `$1` first.
    public private(set) var parameters: [Parameter] = []

    init() {}

    /// One parameter. It is what a find has: each array is made at once in its size.
    init<Value: SQLValue>(_ value: Value) {
        buffer.reserveCapacity(32)
        let isThere = value.encode(into: &buffer)
        parameters = [Parameter(type: Value.type, offset: 0, count: isThere ? buffer.count : nil)]
    }

    /// Adds a parameter.
    mutating func append<Value: SQLValue>(_ value: Value) {
        let offset = buffer.count
        let isThere = value.encode(into: &buffer)
        parameters.append(Parameter(type: Value.type, offset: offset, count: isThere ? buffer.count - offset : nil))
    }

    /// Adds one parameter that is an array of values of one type.
    mutating func append(array values: [any SQLValue], of element: any SQLValue.Type) {
        let offset = buffer.count
        ArrayFormat.append(values, of: element, to: &buffer)
        parameters.append(Parameter(type: element.arrayType, offset: offset, count: buffer.count - offset))
    }
}
