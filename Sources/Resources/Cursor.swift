import ORM
import SQL
import Web

/// A cursor for keyset pagination: the position of the last row of a page in the order of the list. The next page
/// begins after that row.
///
/// Clients treat the text of a cursor as opaque. The text is the base64url (RFC 4648, section 5) of a version, a
/// fingerprint of the table, the order and the filters, the values of the sort columns, and a checksum of all of these.
struct PageCursor: Hashable {
    /// The fingerprint of the table, the order and the filters for which the cursor is valid.
    let fingerprint: UInt64
    /// The values of the last row in the sort columns, in binary format; `nil` stands for NULL.
    let position: [[UInt8]?]

    private static let version: UInt8 = 1

    init(fingerprint: UInt64, position: [[UInt8]?]) {
        (self.fingerprint, self.position) = (fingerprint, position)
    }

    /// Decodes a cursor. Returns `nil` when the text is malformed, or its format has another version.
    init?(_ text: String) {
        guard text.utf8.count <= 8192, let all = [UInt8](base64URL: text), all.count > 17, all[0] == PageCursor.version
        else { return nil }
        guard Array(all.suffix(8)) == Fingerprint(all.dropLast(8)).bytes else { return nil }
        fingerprint = all[1..<9].reduce(0) { $0 << 8 | UInt64($1) }
        var (rest, position) = (all[9...].dropLast(8), [[UInt8]?]())
        while let first = rest.popFirst() {
            guard first != 0 else {
                position.append(nil)
                continue
            }
            guard first == 1, rest.count >= 4 else { return nil }
            let count = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard count <= rest.count else { return nil }
            position.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        self.position = position
    }

    /// The cursor, encoded as text for clients.
    var text: String {
        var all = [PageCursor.version] + fingerprint.bigEndianBytes
        for value in position {
            all.append(value == nil ? 0 : 1)
            if let value { all += UInt32(value.count).bigEndianBytes + value }
        }
        return (all + Fingerprint(all).bytes).base64URL
    }
}

/// A 64-bit FNV-1a hash of bytes. Unlike the hash values of `Hasher`, this hash is the same in every process.
public struct Fingerprint: Sendable {
    /// The hash value.
    public private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Hashes bytes.
    public init(_ bytes: some Sequence<UInt8>) { add(bytes) }

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    var bytes: [UInt8] { value.bigEndianBytes }
}

extension FixedWidthInteger {
    fileprivate var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}
