/// A JSON value, as it was parsed (RFC 8259). What depends on its use is left to its user: a number stays text.
public indirect enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    /// A number, as it was written.
    case number(String)
    case string(String)
    /// A string with half of a surrogate pair in it, which is not text (RFC 8259, section 8.2).
    case brokenString
    case array([JSON])
    /// An object; of members with one name, the last one counts.
    case object([String: JSON])
}
