import Glibc

/// A moment on the monotonic clock (CLOCK_MONOTONIC), in nanoseconds; it says nothing of the time of day.
public struct Instant: Comparable, Sendable {
    /// Nanoseconds since a start that the kernel chose.
    public let nanoseconds: Int64

    /// A moment that never comes.
    public static let distantFuture = Instant(nanoseconds: .max)

    init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Reads the clock.
    public static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// The moment that comes `duration` later; an overflow is the distant future.
    public func advanced(by duration: Duration) -> Instant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.nanoseconds)
        return overflow ? .distantFuture : Instant(nanoseconds: sum)
    }

    /// The nanoseconds from `earlier` until this moment, negative when `earlier` is the later one.
    public func nanoseconds(since earlier: Instant) -> Int { Int(nanoseconds &- earlier.nanoseconds) }

    /// The time from `earlier` until this moment, negative when `earlier` is the later one.
    public func duration(since earlier: Instant) -> Duration { .nanoseconds(nanoseconds - earlier.nanoseconds) }

    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }
}

extension Duration {
    /// The whole nanoseconds of this duration; one too long for 64 bits is the longest that fits.
    public var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : whole + attoseconds / 1_000_000_000
    }
}
