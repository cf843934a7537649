import SQL

extension Timestamp {
    /// Parses a date and time of RFC 3339, such as `2026-11-23T07:33:36.5+01:00`, or a date, such as `2026-11-23`,
    /// which means midnight in UTC. A space is accepted in place of the plus before the offset, since the decoding of a
    /// query string turns `+` into a space.
    init?(rfc3339 text: String) {
        guard text.utf8.count <= 40,
            let match = text.wholeMatch(
                of: /(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|([+\- ])(\d\d):(\d\d)))?/
                    .asciiOnlyDigits())
        else { return nil }
        let parts = match.output
        func number(_ text: Substring?) -> Int64 { text.flatMap { Int64($0) } ?? 0 }
        let (hour, minute, second) = (number(parts.4), number(parts.5), number(parts.6))
        let zone = (number(parts.10), number(parts.11))
        guard let day = Timestamp.days(number(parts.1), number(parts.2), number(parts.3)),
            hour < 24, minute < 60, second <= 60, zone.0 < 24, zone.1 < 60
        else { return nil }
        let offset = (zone.0 * 3600 + zone.1 * 60) * (parts.9 == "-" ? -1 : 1)
        let seconds = day * 86_400 + hour * 3600 + minute * 60 + min(second, 59) - offset
        guard Timestamp.writable.contains(seconds) else { return nil }
        let fraction = (parts.7.map(String.init) ?? "").prefix(6)
        let micros = number(Substring(fraction + String(repeating: "0", count: 6 - fraction.count)))
        self.init(microseconds: Timestamp(unixSeconds: seconds).microseconds + micros)
    }

    /// Parses an HTTP date (IMF-fixdate; RFC 9110, section 5.6.7): `Mon, 23 Nov 2026 07:33:36 GMT`. The day of the week
    /// is ignored.
    init?(httpDate text: String) {
        guard text.utf8.count == 29,
            let match = text.wholeMatch(
                of: /[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT/.asciiOnlyDigits()),
            let month = Timestamp.months.firstIndex(of: String(match.output.2)),
            let year = Int64(match.output.3), let date = Int64(match.output.1),
            let day = Timestamp.days(year, Int64(month) + 1, date), let hour = Int64(match.output.4),
            let minute = Int64(match.output.5), let second = Int64(match.output.6), hour < 24, minute < 60, second <= 60
        else { return nil }
        self.init(unixSeconds: day * 86_400 + hour * 3600 + minute * 60 + min(second, 59))
    }

    /// The times that an HTTP date can represent: the years 1 to 9999 in UTC, in seconds since 1970.
    private static let writable: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Returns the number of days from 1970-01-01 to a date in the Gregorian calendar; `nil` when the date does not
    /// exist.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64? {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard year >= 1, (1...12).contains(month), (1...lengths[Int(month) - 1]).contains(day) else { return nil }
        let shifted = month <= 2 ? year - 1 : year  // Years begin in March, so that the leap day is the last.
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }
}
