/// A day of the Gregorian calendar, as Postgres keeps it: days since 2000-01-01.
public struct Day: Hashable, Comparable, Sendable {
    /// Days since 2000-01-01, negative before it; the extremes are the infinities.
    public var number: Int32

    /// Postgres's `infinity`: later than all others.
    public static let infinity = Day(number: .max)
    /// Postgres's `-infinity`: earlier than all others.
    public static let negativeInfinity = Day(number: .min)

    /// Makes a day from days since 2000-01-01.
    public init(number: Int32) { self.number = number }

    public static func < (left: Day, right: Day) -> Bool { left.number < right.number }
}

/// `date`.
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
