extension StringProtocol {
    /// The text without leading and trailing white space (scalars with the Unicode property White_Space).
    public var trimmed: String {
        var text = String(self)
        let shorter: String? = text.withUTF8 { utf8 in
            var rest = utf8[...]
            while let count = rest.leadingWhiteSpace { rest = rest.dropFirst(count) }
            while let count = rest.trailingWhiteSpace { rest = rest.dropLast(count) }
            return rest.count == utf8.count ? nil : String(decoding: rest, as: UTF8.self)
        }
        return shorter ?? text
    }
}

/// Detection of white space in well-formed UTF-8. The bytes are compared without decoding them, since decoding would be
/// slow when a client sends a megabyte of white space.
extension Slice<UnsafeBufferPointer<UInt8>> {
    /// The length in bytes of the white space scalar at the start; `nil` when there is none.
    fileprivate var leadingWhiteSpace: Int? {
        guard let first else { return nil }
        if first < 0x80 { return first.isASCIISpace ? 1 : nil }
        return (2...3).first { count >= $0 && prefix($0).isWhiteSpace }
    }

    /// The length in bytes of the white space scalar at the end; `nil` when there is none.
    fileprivate var trailingWhiteSpace: Int? {
        guard let last else { return nil }
        if last < 0x80 { return last.isASCIISpace ? 1 : nil }
        return (2...3).first { count >= $0 && suffix($0).isWhiteSpace }
    }

    /// Whether these two or three bytes are one white space scalar.
    private var isWhiteSpace: Bool {
        let (first, second) = (self[startIndex], self[startIndex + 1])
        guard count == 3 else { return first == 0xc2 && (second == 0x85 || second == 0xa0) }
        let third = self[startIndex + 2]
        return switch (first, second) {
        case (0xe1, 0x9a), (0xe3, 0x80): third == 0x80
        case (0xe2, 0x80): 0x80...0x8a ~= third || 0xa8...0xa9 ~= third || third == 0xaf
        case (0xe2, 0x81): third == 0x9f
        default: false
        }
    }
}

extension UInt8 {
    fileprivate var isASCIISpace: Bool { self == 0x20 || 0x09...0x0d ~= self }
}
