import SQL

extension Optional: Bindable where Wrapped: Bindable {
    public static var type: UInt32 { Wrapped.type }

    public func encode(into buffer: inout [UInt8]) -> Bool { self?.encode(into: &buffer) ?? false }
}

/// A column that may be NULL.
extension Optional: PostgresValue where Wrapped: PostgresValue {
    public static var null: Self? { .some(.none) }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) { self = .some(try Wrapped(binary: binary)) }
}
