import Glibc

/// A request's target, taken apart: the path is cut at the slashes first and percent-decoded then, so that `%2F` is data.
struct Target {
    /// The path as it was sent.
    let path: Substring
    /// What follows the first `?`, as it was sent; empty when there is none.
    let query: Substring
    /// The path's segments, percent-decoded: `/campaigns/` has `campaigns` and an empty one.
    let segments: [String]

    init(_ target: String) {
        let end = target.utf8.firstIndex(of: 0x3f) ?? target.endIndex
        path = target[..<end]
        query = end == target.endIndex ? "" : target[target.utf8.index(after: end)...]
        segments = Target.segments(path)
    }

    /// The segments of a path.
    static func segments(_ path: Substring) -> [String] {
        var path = path
        return path.withUTF8 { PathSegments($0).map(\.text) }
    }

    fileprivate static let percent = UInt8(ascii: "%")

    /// Percent-decodes (RFC 3986, section 2.1); a `%` without two digits stays, bytes that are not UTF-8 are replaced.
    static func decoded(_ text: ArraySlice<UInt8>) -> String { String(decoding: decodedBytes(text), as: UTF8.self) }

    /// Percent-decodes (RFC 3986, section 2.1); a `%` without two digits stays.
    static func decodedBytes(_ text: ArraySlice<UInt8>, plusIsSpace: Bool = false) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text
        while let byte = rest.popFirst() {
            if byte == percent, let value = UInt8(hex: rest.prefix(2)) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return bytes
    }

    /// The path with runs of slashes made one.
    var merged: String {
        var path = ""
        for character in self.path.unicodeScalars where character != "/" || path.unicodeScalars.last != "/" {
            path.unicodeScalars.append(character)
        }
        return path
    }

    /// What a redirect to `path` names: the query goes with it.
    func redirected(to path: String) -> String { query.isEmpty ? path : "\(path)?\(query)" }
}

/// The segments of a path as they were sent, where it lies: none has memory of its own, and none may outlive the buffer.
struct PathSegments: Sequence, IteratorProtocol {
    /// A segment, not percent-decoded.
    struct Segment {
        fileprivate let bytes: UnsafeBufferPointer<UInt8>

        var isEmpty: Bool { bytes.isEmpty }

        /// The segment, percent-decoded.
        var text: String { isEncoded ? Target.decoded(Array(bytes)[...]) : String(decoding: bytes, as: UTF8.self) }

        /// Whether it stands for a text.
        func isText(_ text: [UInt8]) -> Bool {
            guard !isEncoded else { return Target.decodedBytes(Array(bytes)[...]) == text }
            // Sound: a buffer that has bytes has an address.
            return bytes.count == text.count && (bytes.isEmpty || memcmp(bytes.baseAddress!, text, text.count) == 0)
        }

        private var isEncoded: Bool { bytes.offset(of: Target.percent) != nil }
    }

    private var rest: UnsafeBufferPointer<UInt8>?

    /// Begins with a path, behind the slash that it begins with.
    init(_ path: UnsafeBufferPointer<UInt8>) { rest = path.first == Self.slash ? path.dropping(1) : path }

    /// Begins with the path of a target.
    init(of target: UnsafeBufferPointer<UInt8>) {
        let count = target.offset(of: UInt8(ascii: "?")) ?? target.count
        self.init(UnsafeBufferPointer(start: target.baseAddress, count: count))
    }

    mutating func next() -> Segment? {
        guard let bytes = rest else { return nil }
        let end = bytes.offset(of: Self.slash)
        rest = end.map { bytes.dropping($0 + 1) }
        return Segment(bytes: UnsafeBufferPointer(start: bytes.baseAddress, count: end ?? bytes.count))
    }

    private static var slash: UInt8 { UInt8(ascii: "/") }
}

extension UnsafeBufferPointer<UInt8> {
    /// Where a byte stands first.
    fileprivate func offset(of byte: UInt8) -> Int? {
        guard let start = baseAddress, let found = memchr(start, Int32(byte), count) else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(start)
    }

    /// What follows the first bytes, of which there are as many.
    fileprivate func dropping(_ first: Int) -> Self {
        UnsafeBufferPointer(start: baseAddress.map { $0 + first }, count: count - first)
    }
}

extension UInt8 {
    fileprivate init?(hex digits: ArraySlice<UInt8>) {
        guard digits.count == 2, digits.first != 0x2b,
            let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
        else { return nil }
        self = value
    }
}
