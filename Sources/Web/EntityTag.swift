import HTTPTypes

/// A strong entity tag, which identifies one version of a resource: `"3"` (RFC 9110, section 8.8.3).
public struct EntityTag: Hashable, Sendable {
    /// The opaque tag, without its quotes.
    public let opaque: String

    /// Creates a tag. `opaque` must contain neither double quotes nor control characters.
    public init(_ opaque: String) { self.opaque = opaque }

    /// The tag in quotes, as header fields contain it.
    public var value: String { "\"\(opaque)\"" }
}

/// The value of `If-Match` or `If-None-Match`: any tag, or a list of tags (RFC 9110, section 13.1).
public enum TagCondition: Hashable, Sendable {
    /// Any current version of the resource: `*`.
    case any
    /// Any version with one of the listed tags.
    case tags([EntityTag])

    /// Parses the value of `If-Match` or `If-None-Match`: `*`, or a comma-separated list of tags. A weak tag is treated
    /// as its strong form, since a proxy that compresses responses makes the application's tags weak. Returns `nil`
    /// when the value is malformed.
    init?(_ text: String) {
        if text.trimmed == "*" {
            self = .any
            return
        }
        var tags: [EntityTag] = []
        var rest = Array(text.utf8)[...]
        var isAfterTag = false
        while let byte = rest.first {
            if byte == 0x2c || byte == 0x20 || byte == 0x09 {
                if byte == 0x2c { isAfterTag = false }
                rest = rest.dropFirst()
                continue
            }
            guard !isAfterTag else { return nil }
            if rest.starts(with: Array("W/".utf8)) { rest = rest.dropFirst(2) }
            guard rest.first == 0x22, let end = rest.dropFirst().firstIndex(of: 0x22) else { return nil }
            tags.append(EntityTag(String(decoding: rest[(rest.startIndex + 1)..<end], as: UTF8.self)))
            rest = rest[(end + 1)...]
            isAfterTag = true
        }
        guard !tags.isEmpty else { return nil }
        self = .tags(tags)
    }

    /// Whether the condition matches a tag.
    public func contains(_ tag: EntityTag) -> Bool {
        switch self {
        case .any: true
        case .tags(let tags): tags.contains(tag)
        }
    }
}

extension Request {
    /// Parses the condition of `If-Match`; returns `nil` when the field is absent.
    /// - Throws: 400 when the field is malformed.
    public func ifMatch() throws(HTTPError) -> TagCondition? { try condition(.ifMatch) }

    /// Parses the condition of `If-None-Match`; returns `nil` when the field is absent.
    /// - Throws: 400 when the field is malformed.
    public func ifNoneMatch() throws(HTTPError) -> TagCondition? { try condition(.ifNoneMatch) }

    private func condition(_ name: HTTPField.Name) throws(HTTPError) -> TagCondition? {
        guard headers.value(of: name) != nil else { return nil }
        let values = headers.values(of: name)
        guard let condition = TagCondition(values.joined(separator: ",")) else {
            throw HTTPError(
                .badRequest, "\(name) must be *, or a comma-separated list of entity tags in double quotes.")
        }
        return condition
    }
}
