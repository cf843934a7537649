/// An exact decimal number of arbitrary precision (`numeric`): `-12.3400`, `NaN`, `Infinity`. The number is stored as
/// text; arithmetic is left to Postgres.
public struct Numeric: Hashable, Sendable, CustomStringConvertible {
    /// The number in Postgres's text form.
    public let description: String

    /// Parses a number without an exponent, or `NaN`, `Infinity` or `-Infinity`. Returns `nil` for other text, and for
    /// more digits than Postgres allows: 131,072 before the decimal point and 16,383 after it.
    public init?(_ text: String) {
        let parts = text.trimmingSign.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let isNumber = parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        let fits = parts[0].utf8.count <= 131_072 && (parts.count < 2 || parts[1].utf8.count <= Numeric.longestScale)
        guard isNumber && fits || ["NaN", "Infinity", "-Infinity"].contains(text) else { return nil }
        description = text
    }

    /// The largest number of digits after the decimal point.
    fileprivate static let longestScale = 16_383

    fileprivate init(unchecked text: String) { description = text }
}

/// Maps to the Postgres type `numeric`. The binary form (Postgres's `numeric_send`) has the number of groups of four
/// decimal digits, the weight of the first group, the sign, the number of digits after the decimal point, and the
/// groups.
extension Numeric: SQLValue {
    public static var type: UInt32 { 1700 }
    public static var arrayType: UInt32 { 1231 }
    public static var typeName: String { "numeric" }
    public static var samples: [Self] { [Numeric(unchecked: "0"), Numeric(unchecked: "1")] }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) {
        guard binary.count >= 8, binary.count % 2 == 0 else { throw .size(binary, of: "numeric") }
        let words = stride(from: 0, to: binary.count, by: 2).map {
            UInt16(bigEndian: binary.loadUnaligned(fromByteOffset: $0, as: UInt16.self))
        }
        guard words.count == 4 + Int(words[0]) else { throw .size(binary, of: "numeric") }
        switch words[2] {
        case 0xc000: self.init(unchecked: "NaN")
        case 0xd000: self.init(unchecked: "Infinity")
        case 0xf000: self.init(unchecked: "-Infinity")
        case 0, 0x4000:
            guard words[4...].allSatisfy({ $0 < 10_000 }), words[3] <= Self.longestScale else {
                throw DecodingError("a numeric has an invalid digit group or too many decimal places")
            }
            let text = Self.digits(words[4...], weight: Int(Int16(bitPattern: words[1])), scale: Int(words[3]))
            self.init(unchecked: (words[2] == 0x4000 ? "-" : "") + text)
        default: throw DecodingError("a numeric has an invalid sign")
        }
    }

    private static func digits(_ groups: ArraySlice<UInt16>, weight: Int, scale: Int) -> String {
        // Positions count down from the weight; position 0 is the last group before the decimal point.
        func group(_ position: Int) -> String {
            let index = groups.startIndex + weight - position
            let digits = String(groups.indices.contains(index) ? groups[index] : 0)
            return String(repeating: "0", count: 4 - digits.utf8.count) + digits
        }
        let whole = stride(from: max(weight, 0), through: 0, by: -1).map(group).joined()
        let trimmed = whole.drop { $0 == "0" }
        let fraction = stride(from: -1, through: -(scale + 3) / 4, by: -1).map(group).joined().prefix(scale)
        return (trimmed.isEmpty ? "0" : String(trimmed)) + (scale > 0 ? "." + fraction : "")
    }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        let special: [String: UInt16] = ["NaN": 0xc000, "Infinity": 0xd000, "-Infinity": 0xf000]
        if let sign = special[description] {
            for word in [0, 0, sign, 0] { word.appendBigEndian(to: &buffer) }
            return true
        }
        let parts = description.trimmingSign.split(separator: ".")
        let whole = Self.groups(parts[0], padsLeft: true)
        let fraction = parts.count == 2 ? Self.groups(parts[1], padsLeft: false) : []
        let all = whole + fraction
        let weight = Int16(whole.count - 1)
        let sign: UInt16 = description.hasPrefix("-") ? 0x4000 : 0
        UInt16(all.count).appendBigEndian(to: &buffer)
        weight.appendBigEndian(to: &buffer)
        sign.appendBigEndian(to: &buffer)
        UInt16(parts.count == 2 ? parts[1].utf8.count : 0).appendBigEndian(to: &buffer)
        for group in all { group.appendBigEndian(to: &buffer) }
        return true
    }

    /// Splits decimal digits into groups of four, padding with insignificant zeros on one side.
    private static func groups(_ digits: Substring, padsLeft: Bool) -> [UInt16] {
        let zeros = Array(repeating: UInt8(0x30), count: (4 - digits.utf8.count % 4) % 4)
        let padded = padsLeft ? zeros + digits.utf8 : digits.utf8 + zeros
        return stride(from: 0, to: padded.count, by: 4).map { start in
            padded[start..<start + 4].reduce(0) { $0 * 10 + UInt16($1 - 0x30) }
        }
    }
}

extension String {
    fileprivate var trimmingSign: Substring { hasPrefix("-") ? dropFirst() : self[...] }
}
