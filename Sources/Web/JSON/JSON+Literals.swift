extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral text: String) { self = .string(text) }
    public init(integerLiteral number: Int) { self = .number(String(number)) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(dictionaryLiteral members: (String, JSON)...) {
        var all = Members()
        for (name, value) in members { all[name] = value }
        self = .object(all)
    }
}

extension JSON {
    /// Returns a copy of this object in which the member `name` has the given value, whether or not the object had such
    /// a member. Returns this JSON value unchanged when it is not an object, or when `value` is `nil`.
    public func adding(_ name: String, _ value: JSON?) -> JSON {
        guard case .object(var members) = self, let value else { return self }
        members[name] = value
        return .object(members)
    }
}

/// Writes the members of objects sorted by name, in the order of code points, and `unpairedSurrogate` as `null`.
extension JSON: JSONWritable {
    public func write(to json: inout JSONWriter) {
        switch self {
        case .null, .unpairedSurrogate: RawJSON("null").write(to: &json)
        case .bool(let value): value.write(to: &json)
        case .number(let text): RawJSON(text).write(to: &json)
        case .string(let text): text.write(to: &json)
        case .array(let elements): elements.write(to: &json)
        case .object(let members):
            json.beginObject()
            for (name, value) in members.all.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
                json.member(named: name, value)
            }
            json.endObject()
        }
    }
}
