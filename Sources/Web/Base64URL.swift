/// Base64url without padding (RFC 4648, section 5).
extension [UInt8] {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    /// A table of the values of base64url digits, indexed by byte; 255 for bytes that are not digits.
    private static let digits: [UInt8] = {
        var digits = [UInt8](repeating: 255, count: 256)
        for (digit, character) in alphabet.enumerated() { digits[Int(character)] = UInt8(digit) }
        return digits
    }()

    /// The bytes, encoded as base64url without padding.
    package var base64URL: String {
        var (text, bits, count): ([UInt8], UInt32, Int) = ([], 0, 0)
        for byte in self {
            (bits, count) = (bits << 8 | UInt32(byte), count + 8)
            while count >= 6 {
                count -= 6
                text.append(Self.alphabet[Int(bits >> UInt32(count) & 63)])
            }
        }
        if count > 0 { text.append(Self.alphabet[Int(bits << UInt32(6 - count) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Decodes base64url without padding. Returns `nil` when the text is malformed or its unused bits are not zero.
    package init?(base64URL text: some StringProtocol) {
        let digits = Self.digits
        var (bytes, bits, count): ([UInt8], UInt32, Int) = ([], 0, 0)
        bytes.reserveCapacity(text.utf8.count * 3 / 4)
        for character in text.utf8 {
            let digit = digits[Int(character)]
            guard digit < 64 else { return nil }
            (bits, count) = (bits << 6 | UInt32(digit), count + 6)
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        guard count < 6, bits & (1 << UInt32(count) - 1) == 0 else { return nil }
        self = bytes
    }
}
