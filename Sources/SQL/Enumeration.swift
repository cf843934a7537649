/// A type of a few named values, kept as text: `enum Stage: String, Enumeration { case new, won, lost }`. Its column has a check that
/// allows no others.
public protocol Enumeration: SQLValue, CaseIterable, RawRepresentable where RawValue == String {}

extension Enumeration {
    public static var type: UInt32 { String.type }
    public static var arrayType: UInt32 { String.arrayType }
    public static var typeName: String { String.typeName }
    public static var samples: [Self] { Array(allCases) }
    public static var choices: [String]? { allCases.map(\.rawValue) }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) {
        let text = try String(binary: binary)
        guard let value = Self(rawValue: text) else { throw DecodingError("a text is none of \(Self.self)") }
        self = value
    }

    public func encode(into buffer: inout [UInt8]) -> Bool { rawValue.encode(into: &buffer) }
}
