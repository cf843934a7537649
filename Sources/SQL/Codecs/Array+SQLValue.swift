/// Maps a one-dimensional array to the array type of its elements: `[Int64]` to `bigint[]`.
extension Array: SQLValue where Element: SQLValue {
    public static var type: UInt32 { Element.arrayType }
    /// The object id (OID) of the type of nested arrays. It is the same as `type`, because Postgres has one array type
    /// per element type, whatever the number of dimensions.
    public static var arrayType: UInt32 { Element.arrayType }
    public static var typeName: String { Element.typeName + "[]" }
    public static var samples: [Self] { [[], Element.samples] }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) {
        self = []
        var reader = ArrayReader(rest: binary)
        for _ in 0..<(try reader.begin(Element.type)) {
            guard let element = try reader.next() else {
                guard let null = Element.null else { throw DecodingError("an array contains a NULL") }
                append(null)
                continue
            }
            append(try Element(binary: element))
        }
    }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        ArrayFormat.append(self, of: Element.self, to: &buffer)
        return true
    }
}

/// Reads the binary form of an array from its beginning to its end.
private struct ArrayReader {
    var rest: UnsafeRawBufferPointer

    /// Reads the header of an array.
    /// - Parameter type: The object id (OID) of the expected element type.
    /// - Returns: The number of elements.
    /// - Throws: `DecodingError` if the elements have another type, or the array has more than one dimension.
    mutating func begin(_ type: UInt32) throws(DecodingError) -> Int {
        let (dimensions, _, element) = (try number(), try number(), try number())
        guard UInt32(bitPattern: element) == type else { throw DecodingError("an array has elements of another type") }
        guard dimensions > 0 else { return 0 }
        guard dimensions == 1 else { throw DecodingError("an array has \(dimensions) dimensions, not one") }
        let count = try number()
        guard count >= 0 else { throw DecodingError("an array has \(count) elements") }
        _ = try number()  // The lower bound, that is, the first index.
        return Int(count)
    }

    /// Reads the next element; returns `nil` for NULL.
    mutating func next() throws(DecodingError) -> UnsafeRawBufferPointer? {
        let count = try number()
        return count < 0 ? nil : try take(Int(count))
    }

    private mutating func number() throws(DecodingError) -> Int32 { try Int32(bigEndian: try take(4), of: "array") }

    private mutating func take(_ count: Int) throws(DecodingError) -> UnsafeRawBufferPointer {
        guard count <= rest.count else { throw DecodingError("the bytes of an array are truncated") }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count)) }
        return UnsafeRawBufferPointer(rebasing: rest.prefix(count))
    }
}
