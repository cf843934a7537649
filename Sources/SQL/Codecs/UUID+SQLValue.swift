/// A universally unique identifier (RFC 9562): 128 bits.
public struct UUID: Hashable, Sendable, CustomStringConvertible {
    /// The first eight bytes as a big-endian number.
    public var high: UInt64
    /// The last eight bytes as a big-endian number.
    public var low: UInt64

    /// Creates a UUID from its 128 bits.
    public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

    /// Returns a random UUID (version 4).
    public static func random() -> UUID {
        UUID(
            high: .random(in: 0...(.max)) & ~0xf000 | 0x4000,
            low: .random(in: 0...(.max)) & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000)
    }

    /// Parses the text form, in upper or lower case: `f81d4fae-7dec-11d0-a765-00a0c91e6bf6`. Returns `nil` for other
    /// text.
    public init?(_ text: String) {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        let digits = groups.joined()
        guard groups.map(\.utf8.count) == [8, 4, 4, 4, 12], digits.utf8.allSatisfy(\.isHexDigit),
            let high = UInt64(digits.prefix(16), radix: 16), let low = UInt64(digits.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    public var description: String {
        func hex(_ number: UInt64, _ count: Int) -> String {
            let digits = String(number, radix: 16)
            return String(repeating: "0", count: count - digits.utf8.count) + digits
        }
        let groups = [
            hex(high >> 32, 8), hex(high >> 16 & 0xffff, 4), hex(high & 0xffff, 4), hex(low >> 48, 4),
            hex(low & 0xffff_ffff_ffff, 12),
        ]
        return groups.joined(separator: "-")
    }
}

/// Orders UUIDs by their bytes, like Postgres.
extension UUID: Comparable {
    public static func < (left: UUID, right: UUID) -> Bool { (left.high, left.low) < (right.high, right.low) }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
        default: false
        }
    }
}

/// Maps to the Postgres type `uuid`, whose binary form is the 16 bytes.
extension UUID: SQLValue {
    public static var type: UInt32 { 2950 }
    public static var arrayType: UInt32 { 2951 }
    public static var typeName: String { "uuid" }
    public static var samples: [Self] { [UUID(high: 0, low: 0), UUID(high: 0, low: 1)] }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) {
        guard binary.count == 16 else { throw .size(binary, of: "uuid") }
        high = UInt64(bigEndian: binary.loadUnaligned(as: UInt64.self))
        low = UInt64(bigEndian: binary.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    public func encode(into buffer: inout [UInt8]) -> Bool {
        high.appendBigEndian(to: &buffer)
        low.appendBigEndian(to: &buffer)
        return true
    }
}
