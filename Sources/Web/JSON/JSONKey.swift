/// The encoded name of a member: escaped, in quotes, and followed by a colon. It is encoded once and written many
/// times.
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
