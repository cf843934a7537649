import Glibc

/// A parsed request target. The path is split at slashes first and percent-decoded afterwards, so that `%2F` does not
/// separate segments.
struct Target {
    /// The path, not percent-decoded.
    let path: Substring
    /// The query, not decoded: the part of the target after the first `?`; empty when the target has no query.
    let query: Substring
    /// The percent-decoded segments of the path: the segments of `/campaigns/` are `campaigns` and an empty one.
    let segments: [String]

    init(_ target: String) {
        let end = target.utf8.firstIndex(of: 0x3f) ?? target.endIndex
        path = target[..<end]
        query = end == target.endIndex ? "" : target[target.utf8.index(after: end)...]
        segments = Target.segments(path)
    }

    /// Splits a path into its percent-decoded segments.
    static func segments(_ path: Substring) -> [String] {
        var path = path
        return path.withUTF8 { PathSegments($0).map(\.text) }
    }

    fileprivate static let percent = UInt8(ascii: "%")

    /// Percent-decodes text (RFC 3986, section 2.1). A `%` that is not followed by two hexadecimal digits is kept;
    /// invalid UTF-8 is replaced by U+FFFD.
    static func decoded(_ text: ArraySlice<UInt8>) -> String { String(decoding: decodedBytes(text), as: UTF8.self) }

    /// Percent-decodes bytes (RFC 3986, section 2.1). A `%` that is not followed by two hexadecimal digits is kept.
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

    /// The path with consecutive slashes merged into one.
    var merged: String {
        var path = ""
        for character in self.path.unicodeScalars where character != "/" || path.unicodeScalars.last != "/" {
            path.unicodeScalars.append(character)
        }
        return path
    }

    /// Returns the target of a redirect to `path`, with the query of this target.
    func redirected(to path: String) -> String { query.isEmpty ? path : "\(path)?\(query)" }
}

/// An iterator over the segments of a path. The segments are neither copied nor decoded, so they must not outlive the
/// buffer of the path.
struct PathSegments: Sequence, IteratorProtocol {
    /// A segment, not percent-decoded.
    struct Segment {
        fileprivate let bytes: UnsafeBufferPointer<UInt8>

        var isEmpty: Bool { bytes.isEmpty }

        /// The percent-decoded text of the segment.
        var text: String { isEncoded ? Target.decoded(Array(bytes)[...]) : String(decoding: bytes, as: UTF8.self) }

        /// Whether the percent-decoded segment equals `text`.
        func equals(_ text: [UInt8]) -> Bool {
            guard !isEncoded else { return Target.decodedBytes(Array(bytes)[...]) == text }
            // Sound: a buffer that is not empty has a base address.
            return bytes.count == text.count && (bytes.isEmpty || memcmp(bytes.baseAddress!, text, text.count) == 0)
        }

        private var isEncoded: Bool { bytes.offset(of: Target.percent) != nil }
    }

    private var rest: UnsafeBufferPointer<UInt8>?

    /// Creates an iterator over the segments of a path; a leading slash is skipped.
    init(_ path: UnsafeBufferPointer<UInt8>) { rest = path.first == Self.slash ? path.dropping(1) : path }

    /// Creates an iterator over the segments of the path of a request target.
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
    /// Returns the offset of the first occurrence of a byte; `nil` when the buffer does not contain the byte.
    fileprivate func offset(of byte: UInt8) -> Int? {
        guard let start = baseAddress, let found = memchr(start, Int32(byte), count) else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(start)
    }

    /// Returns the rest of the buffer after the first `first` bytes; `first` must not exceed `count`.
    fileprivate func dropping(_ first: Int) -> Self {
        UnsafeBufferPointer(start: baseAddress.map { $0 + first }, count: count - first)
    }
}

extension UInt8 {
    fileprivate init?(hex digits: ArraySlice<UInt8>) {
        guard digits.count == 2, digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-"),
            let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
        else { return nil }
        self = value
    }
}
