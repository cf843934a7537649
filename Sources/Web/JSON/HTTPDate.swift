/// A point in time, formatted as IMF-fixdate (RFC 9110, section 5.6.7): `Mon, 23 Nov 2026 07:33:36 GMT`.
///
/// The format cannot represent years before 1 or after 9999: such times are clamped to the first or the last second
/// that can be represented.
struct HTTPDate: Equatable {
    /// The number of days since 1970-01-01.
    let days: Int64
    private let second: Int

    init(unixSeconds: Int64) {
        let seconds = min(max(unixSeconds, -62_135_596_800), 253_402_300_799)
        let (quotient, remainder) = seconds.quotientAndRemainder(dividingBy: 86_400)
        days = remainder < 0 ? quotient - 1 : quotient
        second = Int(remainder < 0 ? remainder + 86_400 : remainder)
    }

    private static var weekdays: StaticString { "ThuFriSatSunMonTueWed" }
    private static var months: StaticString { "JanFebMarAprMayJunJulAugSepOctNovDec" }

    /// The number of bytes that `appendDay` appends.
    static var dayLength: Int { 17 }

    /// The number of bytes that `appendTime` appends.
    private static var timeLength: Int { 12 }

    /// The length of a whole date in bytes.
    static var length: Int { dayLength + timeLength }

    /// Appends the day in the form `Mon, 23 Nov 2026 `.
    func appendDay(to bytes: inout ByteBuffer) {
        let (year, month, day) = civilDate
        bytes.append(HTTPDate.dayLength) { text in
            HTTPDate.write(HTTPDate.weekdays, from: 3 * Int((days % 7 + 7) % 7), 3, to: text)
            HTTPDate.write(", ", 2, to: text + 3)
            HTTPDate.write(day, to: text + 5)
            text[7] = UInt8(ascii: " ")
            HTTPDate.write(HTTPDate.months, from: 3 * (month - 1), 3, to: text + 8)
            text[11] = UInt8(ascii: " ")
            HTTPDate.write(year / 100, to: text + 12)
            HTTPDate.write(year % 100, to: text + 14)
            text[16] = UInt8(ascii: " ")
        }
    }

    /// Appends the time in the form `07:33:36 GMT`.
    func appendTime(to bytes: inout ByteBuffer) {
        bytes.append(HTTPDate.timeLength) { text in
            HTTPDate.write(second / 3600, to: text)
            text[2] = UInt8(ascii: ":")
            HTTPDate.write(second / 60 % 60, to: text + 3)
            text[5] = UInt8(ascii: ":")
            HTTPDate.write(second % 60, to: text + 6)
            HTTPDate.write(" GMT", 4, to: text + 8)
        }
    }

    private static func write(
        _ source: StaticString, from start: Int = 0, _ count: Int, to text: UnsafeMutablePointer<UInt8>
    ) {
        text.update(from: source.utf8Start + start, count: count)
    }

    /// Writes a number below 100 as two digits.
    private static func write(_ number: Int, to text: UnsafeMutablePointer<UInt8>) {
        text[0] = 0x30 + UInt8(truncatingIfNeeded: number / 10)
        text[1] = 0x30 + UInt8(truncatingIfNeeded: number % 10)
    }

    /// The date in the Gregorian calendar. The calculation uses eras of 400 years, and years that begin in March, so
    /// that a leap day is the last day of its year.
    private var civilDate: (year: Int, month: Int, day: Int) {
        let shifted = Int(days) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }
}
