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
        return path.withUTF8 { segments($0[...]) }
    }

    /// The segments of a target's path alone.
    static func segments(of target: String) -> [String] {
        var target = target
        return target.withUTF8 { bytes in segments(bytes[..<(bytes.firstIndex(of: 0x3f) ?? bytes.endIndex)]) }
    }

    private static func segments(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> [String] {
        var segments: [String] = []
        segments.reserveCapacity(4)
        var rest = bytes.first == slash ? bytes.dropFirst() : bytes
        while let end = rest.firstIndex(of: slash) {
            segments.append(segment(rest[..<end]))
            rest = rest[(end + 1)...]
        }
        segments.append(segment(rest))
        return segments
    }

    private static let slash = UInt8(ascii: "/")
    private static let percent = UInt8(ascii: "%")

    private static func segment(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> String {
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes), as: UTF8.self)
        return bytes.contains(percent) ? decoded(Array(bytes)[...]) : text
    }

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

extension UInt8 {
    fileprivate init?(hex digits: ArraySlice<UInt8>) {
        guard digits.count == 2, digits.first != 0x2b,
            let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
        else { return nil }
        self = value
    }
}
