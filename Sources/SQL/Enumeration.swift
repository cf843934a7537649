/// An enumeration that is stored as text: `enum Stage: String, Enumeration { case new, won, lost }`. A column of such a
/// type has a CHECK constraint that permits only the cases' raw values.
public protocol Enumeration: SQLValue, CaseIterable, RawRepresentable where RawValue == String {}

extension Enumeration {
    public static var type: UInt32 { String.type }
    public static var arrayType: UInt32 { String.arrayType }
    public static var typeName: String { String.typeName }
    public static var samples: [Self] { Array(allCases) }
    public static var choices: [String]? { allCases.map(\.rawValue) }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) {
        let text = try String(binary: binary)
        guard let value = Self(rawValue: text) else { throw DecodingError("the text is not a case of \(Self.self)") }
        self = value
    }

    public func encode(into buffer: inout [UInt8]) -> Bool { rawValue.encode(into: &buffer) }
}
