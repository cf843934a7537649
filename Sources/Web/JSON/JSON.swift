import Glibc

/// A JSON value, as it was parsed (RFC 8259). What depends on its use is left to its user: a number stays text.
public enum JSON: Equatable, Sendable {
    case null
    case bool(Bool)
    /// A number, as it was written.
    case number(String)
    case string(String)
    /// A string with half of a surrogate pair in it, which is not text (RFC 8259, section 8.2).
    case brokenString
    case array([JSON])
    case object(Members)

    /// The members of an object, in the order of the text; of several with one name the last one counts.
    ///
    /// Names are compared byte by byte. No dictionary: what a client sends would decide what its hashing costs.
    public struct Members: Sendable {
        var all: [(name: String, value: JSON)] = []

        /// The names, in the order of the text.
        public var names: some Sequence<String> { all.lazy.map(\.name) }

        /// Makes an object without members.
        public init() {}

        /// The value of a member; `nil` when there is none of that name.
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
    /// Whether both are the same UTF-8, where `==` would spend time on canonical equivalence.
    package func hasSameBytes(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        var (one, other) = (self, other)
        // Sound: both have as many bytes, and a buffer that has some has an address.
        return one.withUTF8 { one in
            other.withUTF8 { other in one.isEmpty || memcmp(one.baseAddress!, other.baseAddress!, one.count) == 0 }
        }
    }
}
