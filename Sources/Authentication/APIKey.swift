/// An API key: the secret with which a client authenticates. A key consists of `aktify_`, 43 random base62 characters
/// (256 bits), and a checksum of 6 characters over everything before it.
///
/// The prefix lets secret scanners detect published keys. The checksum distinguishes a mistyped key from an unknown
/// one.
public struct APIKey: Hashable, Sendable {
    /// The text of the key, as clients send it.
    public let text: String

    private static let prefix = "aktify_"
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    private static let (secretCount, checksumCount) = (43, 6)

    /// Generates a key with the system's cryptographically secure random number generator.
    public init() {
        var generator = SystemRandomNumberGenerator()
        let secret = (0..<APIKey.secretCount).map { _ in
            APIKey.digits[Int.random(in: APIKey.digits.indices, using: &generator)]
        }
        let body = Array(APIKey.prefix.utf8) + secret
        text = String(decoding: body + APIKey.checksum(of: body), as: UTF8.self)
    }

    /// Parses a key. Returns `nil` when the text is not a key, or contains a wrong checksum.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        let body = bytes.dropLast(APIKey.checksumCount)
        guard bytes.count == APIKey.prefix.utf8.count + APIKey.secretCount + APIKey.checksumCount,
            body.starts(with: APIKey.prefix.utf8),
            body.dropFirst(APIKey.prefix.utf8.count).allSatisfy(APIKey.digits.contains),
            bytes.suffix(APIKey.checksumCount).elementsEqual(APIKey.checksum(of: body))
        else { return nil }
        self.text = text
    }

    /// Returns the CRC-32 of bytes, encoded as six base62 digits.
    private static func checksum(of bytes: some Sequence<UInt8>) -> [UInt8] {
        var rest = crc32(bytes)
        var checksum: [UInt8] = []
        for _ in 0..<checksumCount {
            checksum.append(digits[Int(rest % 62)])
            rest /= 62
        }
        return checksum.reversed()
    }

    /// Returns the CRC-32 of bytes (ISO 3309).
    static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(~0) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
    }
}
