/// A moment in the form of RFC 9110, section 5.6.7 (IMF-fixdate): `Mon, 23 Nov 2026 07:33:36 GMT`.
///
/// Years below 1 and above 9999 have no such form: they become the first and the last second that have one.
struct HTTPDate: Equatable {
    /// Days since 1970-01-01.
    let days: Int64
    private let second: Int

    init(unixSeconds: Int64) {
        let seconds = min(max(unixSeconds, -62_135_596_800), 253_402_300_799)
        let (quotient, remainder) = seconds.quotientAndRemainder(dividingBy: 86_400)
        days = remainder < 0 ? quotient - 1 : quotient
        second = Int(remainder < 0 ? remainder + 86_400 : remainder)
    }

    private static let weekdays: [StaticString] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months: [StaticString] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// What `appendDay` appends.
    static var dayLength: Int { 17 }

    /// What `appendDay` and `appendTime` append together.
    static var length: Int { dayLength + 12 }

    /// Appends `Mon, 23 Nov 2026 `.
    func appendDay(to bytes: inout ByteBuffer) {
        let (year, month, day) = civilDate
        bytes.append(HTTPDate.weekdays[Int((days % 7 + 7) % 7)])
        bytes.append(", ")
        append(day, " ", to: &bytes)
        bytes.append(HTTPDate.months[month - 1])
        append(year / 100, year % 100, to: &bytes)
    }

    /// Appends `07:33:36 GMT`.
    func appendTime(to bytes: inout ByteBuffer) {
        bytes.append(12) { text in
            HTTPDate.write(second / 3600, to: text)
            text[2] = UInt8(ascii: ":")
            HTTPDate.write(second / 60 % 60, to: text + 3)
            text[5] = UInt8(ascii: ":")
            HTTPDate.write(second % 60, to: text + 6)
            (text + 8).update(from: (" GMT" as StaticString).utf8Start, count: 4)
        }
    }

    private func append(_ century: Int, _ year: Int, to bytes: inout ByteBuffer) {
        bytes.append(0x20)
        append(century, "", to: &bytes)
        append(year, " ", to: &bytes)
    }

    /// Appends a number's two digits, and what follows them.
    private func append(_ number: Int, _ end: StaticString, to bytes: inout ByteBuffer) {
        bytes.append(2) { HTTPDate.write(number, to: $0) }
        bytes.append(end)
    }

    private static func write(_ number: Int, to text: UnsafeMutablePointer<UInt8>) {
        text[0] = 0x30 + UInt8(truncatingIfNeeded: number / 10)
        text[1] = 0x30 + UInt8(truncatingIfNeeded: number % 10)
    }

    /// The Gregorian date. Years are counted from March, in eras of 400, so that the leap day is the last of its year.
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
