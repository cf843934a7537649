/// A point in time in UTC with microsecond precision, as Postgres stores it: microseconds since 2000-01-01 00:00:00.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// The number of microseconds since 2000-01-01 00:00:00 UTC, negative for earlier times. The smallest and the
    /// largest number represent `-infinity` and `infinity`.
    public let microseconds: Int64

    /// Postgres's `infinity`, which is later than all other timestamps.
    public static let infinity = Timestamp(microseconds: .max)
    /// Postgres's `-infinity`, which is earlier than all other timestamps.
    public static let negativeInfinity = Timestamp(microseconds: .min)

    /// Creates a timestamp from microseconds since 2000-01-01 00:00:00 UTC.
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// The Unix time: whole seconds since 1970-01-01 00:00:00 UTC, rounded down.
    public var unixSeconds: Int64 {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return quotient + (remainder < 0 ? -1 : 0) + Timestamp.epoch
    }

    /// Creates a timestamp from a Unix time: whole seconds since 1970-01-01 00:00:00 UTC.
    public init(unixSeconds: Int64) { microseconds = (unixSeconds - Timestamp.epoch) * 1_000_000 }

    /// The Unix time of 2000-01-01 00:00:00 UTC.
    private static let epoch: Int64 = 946_684_800

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }
}
