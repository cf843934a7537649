/// A moment in UTC, to the microsecond, as Postgres keeps it: microseconds since 2000-01-01 00:00:00.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Microseconds since 2000-01-01 00:00:00 UTC, negative before it.
    public let microseconds: Int64

    /// Postgres's `infinity`: later than all others.
    public static let infinity = Timestamp(microseconds: .max)
    /// Postgres's `-infinity`: earlier than all others.
    public static let negativeInfinity = Timestamp(microseconds: .min)

    /// Makes a moment from microseconds since 2000-01-01 00:00:00 UTC.
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// Whole seconds since 1970-01-01 00:00:00 UTC, rounded down.
    public var unixSeconds: Int64 {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return quotient + (remainder < 0 ? -1 : 0) + Timestamp.epoch
    }

    /// Makes a moment from whole seconds since 1970-01-01 00:00:00 UTC.
    public init(unixSeconds: Int64) { microseconds = (unixSeconds - Timestamp.epoch) * 1_000_000 }

    /// 2000-01-01 in seconds since 1970-01-01.
    private static let epoch: Int64 = 946_684_800

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }
}
