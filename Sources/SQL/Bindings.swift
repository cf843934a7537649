/// The parameter values of a statement, in order, encoded into one buffer.
public struct Bindings: Sendable {
    /// The type of a parameter and the location of its bytes.
    public struct Parameter: Sendable {
        /// The object id (OID) of the Postgres type.
        public let type: UInt32
        /// The offset of the first byte in the buffer.
        public let offset: Int
        /// The number of bytes, or `nil` for NULL.
        public let count: Int?
    }

    /// The bytes of all parameters, concatenated.
    public private(set) var buffer: [UInt8] = []
    /// The parameters in the order of their numbers, beginning with `$1`.
    public private(set) var parameters: [Parameter] = []

    init() {}

    /// Creates the bindings of a statement with one parameter, such as the lookup of a row by its key. For a value of
    /// up to 32 bytes, this initializer allocates each array only once.
    init<Value: SQLValue>(_ value: Value) {
        buffer.reserveCapacity(32)
        let isPresent = value.encode(into: &buffer)
        parameters = [Parameter(type: Value.type, offset: 0, count: isPresent ? buffer.count : nil)]
    }

    /// Appends a parameter.
    mutating func append<Value: SQLValue>(_ value: Value) {
        let offset = buffer.count
        let isPresent = value.encode(into: &buffer)
        parameters.append(Parameter(type: Value.type, offset: offset, count: isPresent ? buffer.count - offset : nil))
    }

    /// Appends one parameter that is an array whose elements are all of type `element`.
    mutating func append(array values: [any SQLValue], of element: any SQLValue.Type) {
        let offset = buffer.count
        ArrayFormat.append(values, of: element, to: &buffer)
        parameters.append(Parameter(type: element.arrayType, offset: offset, count: buffer.count - offset))
    }
}
