/// A moment in the form of RFC 9110, section 5.6.7 (IMF-fixdate): `Mon, 23 Nov 2026 07:33:36 GMT`.
///
/// Years below 1 and above 9999 have no such form: they become the first and the last second that have one.
struct HTTPDate {
    private let days: Int64
    private let second: Int64

    init(unixSeconds: Int64) {
        let seconds = min(max(unixSeconds, -62_135_596_800), 253_402_300_799)
        let (quotient, remainder) = seconds.quotientAndRemainder(dividingBy: 86_400)
        days = remainder < 0 ? quotient - 1 : quotient
        second = remainder < 0 ? remainder + 86_400 : remainder
    }

    private static let weekdays: [StaticString] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months: [StaticString] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    func append(to bytes: inout [UInt8]) {
        let (year, month, day) = civilDate
        append(HTTPDate.weekdays[Int((days % 7 + 7) % 7)], ", ", to: &bytes)
        append(day, 2, " ", to: &bytes)
        append(HTTPDate.months[month - 1], " ", to: &bytes)
        append(year, 4, " ", to: &bytes)
        append(Int(second / 3600), 2, ":", to: &bytes)
        append(Int(second / 60 % 60), 2, ":", to: &bytes)
        append(Int(second % 60), 2, " GMT", to: &bytes)
    }

    private func append(_ name: StaticString, _ end: StaticString, to bytes: inout [UInt8]) {
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        end.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    private func append(_ number: Int, _ digits: Int, _ end: StaticString, to bytes: inout [UInt8]) {
        if digits == 4 {
            bytes.append(0x30 + UInt8(number / 1000))
            bytes.append(0x30 + UInt8(number / 100 % 10))
        }
        bytes.append(0x30 + UInt8(number / 10 % 10))
        bytes.append(0x30 + UInt8(number % 10))
        end.withUTF8Buffer { bytes.append(contentsOf: $0) }
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
