import Glibc

/// A point in time on the monotonic clock (`CLOCK_MONOTONIC`), in nanoseconds. It is unrelated to the time of day.
public struct Instant: Comparable, Sendable {
    /// Nanoseconds since an unspecified starting point that the kernel chooses.
    public let nanoseconds: Int64

    /// A point in time that is never reached.
    public static let distantFuture = Instant(nanoseconds: .max)

    init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The current time; each access reads the clock.
    public static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// Returns this time plus `duration`; `distantFuture` when the sum overflows.
    public func advanced(by duration: Duration) -> Instant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.nanoseconds)
        return overflow ? .distantFuture : Instant(nanoseconds: sum)
    }

    /// Returns the nanoseconds from `earlier` to this point in time; negative when `earlier` is the later one.
    public func nanoseconds(since earlier: Instant) -> Int { Int(nanoseconds &- earlier.nanoseconds) }

    /// Returns the time from `earlier` to this point in time; negative when `earlier` is the later one.
    public func duration(since earlier: Instant) -> Duration { .nanoseconds(nanoseconds - earlier.nanoseconds) }

    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }
}

extension Duration {
    /// This duration in whole nanoseconds; clamped to the range of `Int64`.
    public var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, wholeOverflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, sumOverflows) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        return wholeOverflows || sumOverflows ? (seconds < 0 ? .min : .max) : sum
    }
}
