/// Maps to the Postgres type of the wrapped type, for a nullable column: `nil` represents NULL.
extension Optional: SQLValue where Wrapped: SQLValue {
    public static var type: UInt32 { Wrapped.type }
    public static var arrayType: UInt32 { Wrapped.arrayType }
    public static var typeName: String { Wrapped.typeName }
    public static var samples: [Self] { Wrapped.samples.map { $0 } }
    public static var choices: [String]? { Wrapped.choices }
    public static var null: Self? { .some(.none) }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) { self = .some(try Wrapped(binary: binary)) }

    public func encode(into buffer: inout [UInt8]) -> Bool { self?.encode(into: &buffer) ?? false }
}
