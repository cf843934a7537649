/// A date of the Gregorian calendar as Postgres stores it: the number of days since 2000-01-01.
public struct Day: Hashable, Comparable, Sendable {
    /// The number of days since 2000-01-01, negative for earlier dates. The smallest and the largest number represent
    /// `-infinity` and `infinity`.
    public var number: Int32

    /// Postgres's `infinity`, which is later than all other dates.
    public static let infinity = Day(number: .max)
    /// Postgres's `-infinity`, which is earlier than all other dates.
    public static let negativeInfinity = Day(number: .min)

    /// Creates a date from the number of days since 2000-01-01.
    public init(number: Int32) { self.number = number }

    public static func < (left: Day, right: Day) -> Bool { left.number < right.number }
}

/// Maps to the Postgres type `date`.
extension Day: SQLValue {
    public static var type: UInt32 { 1082 }
    public static var arrayType: UInt32 { 1182 }
    public static var typeName: String { "date" }
    public static var samples: [Self] { [Day(number: 0), Day(number: 1)] }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) {
        number = try Int32(bigEndian: binary, of: "date")
    }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        number.appendBigEndian(to: &buffer)
        return true
    }
}
