import Glibc

/// A parsed JSON value (RFC 8259). Numbers are stored as text, so that parsing loses no precision.
public enum JSON: Equatable, Sendable {
    /// The literal `null`.
    case null
    /// The literal `true` or `false`.
    case bool(Bool)
    /// A number, as it is spelled in the JSON text.
    case number(String)
    /// A string.
    case string(String)
    /// A string with an unpaired surrogate, which has no representation in UTF-8 (RFC 8259, section 8.2).
    case unpairedSurrogate
    /// An array.
    case array([JSON])
    /// An object.
    case object(Members)

    /// The members of an object, in the order of the JSON text. Of several members with the same name, the last one
    /// counts.
    ///
    /// The subscript compares names byte by byte. The keys of a dictionary would be compared by canonical equivalence.
    public struct Members: Sendable {
        var all: [(name: String, value: JSON)] = []

        /// The names of the members, in the order of the JSON text.
        public var names: some Sequence<String> { all.lazy.map(\.name) }

        /// Creates an empty object.
        public init() {}

        /// The value of the member with a name; `nil` when no member has the name. Setting `nil` removes the member.
        public subscript(name: String) -> JSON? {
            get { all.last { $0.name.hasSameBytes(as: name) }?.value }
            set {
                all.removeAll { $0.name.hasSameBytes(as: name) }
                if let newValue { all.append((name, newValue)) }
            }
        }
    }
}

extension JSON.Members: Equatable, ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral members: (String, JSON)...) { all = members.map { (name: $0, value: $1) } }

    public static func == (left: JSON.Members, right: JSON.Members) -> Bool { left.dictionary == right.dictionary }

    private var dictionary: [String: JSON] { Dictionary(all.map { ($0.name, $0.value) }) { $1 } }
}

extension String {
    /// Whether both strings have the same UTF-8. Unlike `==`, this comparison does not consider canonical equivalence,
    /// and is faster.
    package func hasSameBytes(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        var (one, other) = (self, other)
        // Sound: both buffers have the same length, and a buffer that is not empty has a base address.
        return one.withUTF8 { one in
            other.withUTF8 { other in one.isEmpty || memcmp(one.baseAddress!, other.baseAddress!, one.count) == 0 }
        }
    }
}
