import Web

/// A JSON object whose members are taken out one by one; what is wrong with them is collected.
struct Form {
    private let members: JSON.Members
    private var known: [String] = []
    private var problems: [HTTPError.Field] = []

    /// - Throws: 422 when the value is no object.
    init(_ json: JSON) throws(HTTPError) {
        guard case .object(let members) = json else {
            throw HTTPError(.unprocessableContent, "The body must be a JSON object.")
        }
        self.members = members
    }

    /// Takes text whose length, in characters as Postgres counts them, lies in `length`. Without a default it is required, and
    /// white space at its ends does not count.
    mutating func text(_ name: String, _ length: ClosedRange<Int>, default: String? = nil) -> String? {
        switch take(name) {
        case nil: return `default` ?? problem(name, "is required")
        case .string(let text): return check(`default` == nil ? text.trimmed : text, name, length)
        case .brokenString: return problem(name, "must not have half of a surrogate pair in it")
        default: return problem(name, "must be a string")
        }
    }

    private mutating func check(_ text: String, _ name: String, _ length: ClosedRange<Int>) -> String? {
        guard !text.hasNUL else { return problem(name, "must not have a NUL character in it") }
        guard length.contains(text.scalarCount) else {
            return problem(name, "must have \(length.lowerBound) to \(length.upperBound) characters")
        }
        return text
    }

    private mutating func take(_ name: String) -> JSON? {
        known.append(name)
        return members[name]
    }

    /// Takes a boolean.
    mutating func bool(_ name: String, default: Bool) -> Bool? {
        switch take(name) {
        case nil: `default`
        case .bool(let value): value
        default: problem(name, "must be true or false")
        }
    }

    /// Ends the reading: what has not been taken is unknown.
    /// - Throws: 422, with all that is wrong.
    func finish() throws(HTTPError) {
        let unknown = members.names.filter { name in !known.contains { $0.utf8.elementsEqual(name.utf8) } }
            .map { HTTPError.Field($0, "is not known") }
        guard problems.isEmpty, unknown.isEmpty else {
            throw HTTPError(.unprocessableContent, "The campaign is not valid.", fields: problems + unknown)
        }
    }

    private mutating func problem<Value>(_ name: String, _ message: String) -> Value? {
        problems.append(HTTPError.Field(name, "\(name) \(message)."))
        return nil
    }
}

/// Passes over bytes that lie in a row, which the compiler makes vectors of.
extension String {
    fileprivate var hasNUL: Bool { bytes { $0.reduce(false) { $0 || $1 == 0 } } }

    /// The number of Unicode scalars: of bytes that do not go on with one.
    fileprivate var scalarCount: Int { bytes { $0.reduce(0) { $0 + ($1 & 0xc0 != 0x80 ? 1 : 0) } } }

    private func bytes<Value>(_ body: (UnsafeBufferPointer<UInt8>) -> Value) -> Value {
        var text = self
        return text.withUTF8(body)
    }
}
