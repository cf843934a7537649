import HTTPTypes

/// What names one state of a resource: `"3"` (RFC 9110, section 8.8.3).
public struct EntityTag: Hashable, Sendable {
    /// What stands between the quotes.
    public let opaque: String

    /// Makes a tag of text that has no quotes and no control characters in it.
    public init(_ opaque: String) { self.opaque = opaque }

    /// The tag as a header field has it.
    public var value: String { "\"\(opaque)\"" }
}

/// The value of If-Match or If-None-Match: any tag, or one of a list (RFC 9110, section 13.1).
public enum TagCondition: Hashable, Sendable {
    case any
    case tags([EntityTag])

    /// Reads the values of a field, with commas between. Weak tags count as their strong form: compression on the way makes a tag of
    /// ours weak.
    /// - Returns: `nil` when it is malformed.
    init?(_ text: String) {
        if text.trimmed == "*" {
            self = .any
            return
        }
        var tags: [EntityTag] = []
        var rest = Array(text.utf8)[...]
        var isBehindTag = false
        while let byte = rest.first {
            if byte == 0x2c || byte == 0x20 || byte == 0x09 {
                if byte == 0x2c { isBehindTag = false }
                rest = rest.dropFirst()
                continue
            }
            guard !isBehindTag else { return nil }
            if rest.starts(with: Array("W/".utf8)) { rest = rest.dropFirst(2) }
            guard rest.first == 0x22, let end = rest.dropFirst().firstIndex(of: 0x22) else { return nil }
            tags.append(EntityTag(String(decoding: rest[(rest.startIndex + 1)..<end], as: UTF8.self)))
            rest = rest[(end + 1)...]
            isBehindTag = true
        }
        guard !tags.isEmpty else { return nil }
        self = .tags(tags)
    }

    /// Whether a tag is among them.
    public func contains(_ tag: EntityTag) -> Bool {
        switch self {
        case .any: true
        case .tags(let tags): tags.contains(tag)
        }
    }
}

extension Request {
    /// What the resource's tag must be; `nil` when the client does not say.
    /// - Throws: 400 when it is malformed.
    public func ifMatch() throws(HTTPError) -> TagCondition? { try condition(.ifMatch) }

    /// What the resource's tag must not be; `nil` when the client does not say.
    /// - Throws: 400 when it is malformed.
    public func ifNoneMatch() throws(HTTPError) -> TagCondition? { try condition(.ifNoneMatch) }

    private func condition(_ name: HTTPField.Name) throws(HTTPError) -> TagCondition? {
        guard headers.value(of: name) != nil else { return nil }
        let values = headers.values(of: name)
        guard let condition = TagCondition(values.joined(separator: ",")) else {
            throw HTTPError(.badRequest, "\(name) must be * or entity tags in double quotes with commas between.")
        }
        return condition
    }
}
