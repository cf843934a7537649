/// The name of a member, written once: in quotes, with its escapes, and with the colon behind it.
public struct JSONKey: Hashable, Sendable {
    /// What is written: `"name":`.
    public let bytes: [UInt8]

    /// Makes a key.
    public init(_ name: String) {
        var json = JSONWriter()
        json.string(name)
        bytes = json.finish().dropLast() + [0x3a]
    }
}
