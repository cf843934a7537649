extension UInt8 {
    /// Whether this byte is an unreserved character: a letter, a digit, `-`, `.`, `_` or `~` (RFC 3986, section 2.3).
    package var isUnreserved: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: true
        default: false
        }
    }

    /// Whether URIs may contain this byte: an unreserved or a reserved character, or a percent sign (RFC 3986, section
    /// 2).
    var isAllowedInURI: Bool { isUnreserved || ":/?#[]@!$&'()*+,;=%".utf8.contains(self) }
}

extension Collection<UInt8> {
    /// Returns these bytes as text; each byte for which `isKept` returns `false` is percent-encoded (RFC 3986,
    /// section 2.1). The predicate must return `false` for all non-ASCII bytes.
    package func percentEncoded(except isKept: (UInt8) -> Bool) -> String {
        var encoded: [UInt8] = []
        for byte in self {
            if isKept(byte) {
                encoded.append(byte)
            } else {
                encoded.append(UInt8(ascii: "%"))
                for digit in [byte >> 4, byte & 15] { encoded.append(digit + (digit < 10 ? 0x30 : 0x37)) }
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}
