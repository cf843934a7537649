/// The encoded name of an object member: escaped, in quotes, and followed by a colon. Encoding the name once avoids
/// escaping the name each time it is written.
public struct JSONKey: Hashable, Sendable {
    /// The encoded name: `"name":`.
    public let bytes: [UInt8]

    /// Encodes a name.
    public init(_ name: String) {
        var json = JSONWriter()
        json.string(name)
        bytes = json.finish().dropLast() + [0x3a]
    }
}
