import Web

/// The keys of a provider.
struct KeySet: Sendable {
    private var keys: [KeyName: VerificationKey] = [:]

    /// How many bytes a JWK Set may have, and how many keys.
    static let (mostBytes, mostKeys) = (1_000_000, 100)

    subscript(name: KeyName) -> VerificationKey? { keys[name] }

    var count: Int { keys.count }

    /// Makes a set of keys.
    /// - Throws: `KeySetError` when there are none, or two have one name.
    init(_ all: [VerificationKey]) throws(KeySetError) {
        for key in all {
            guard keys.updateValue(key, forKey: key.name) == nil else {
                throw KeySetError("two keys have the kid \(key.name.id)")
            }
        }
        guard !keys.isEmpty else { throw KeySetError("no key in them can be used") }
    }
}

#if JWT
    extension KeySet {
        /// Reads a JWK Set (RFC 7517, section 5); keys that cannot be used are passed over.
        /// - Throws: `KeySetError`.
        init(jwks bytes: [UInt8]) async throws(KeySetError) {
            guard bytes.count <= KeySet.mostBytes else {
                throw KeySetError("they have more than \(KeySet.mostBytes) bytes")
            }
            guard let json = try? JSON(parsing: bytes, atMost: 10_000), case .object(let members) = json,
                case .array(let values) = members["keys"]
            else { throw KeySetError("they are no JWK Set") }
            guard values.count <= KeySet.mostKeys else { throw KeySetError("there are more than \(KeySet.mostKeys)") }
            var keys: [VerificationKey] = []
            for case .object(let members) in values {
                if let key = await VerificationKey(members) { keys.append(key) }
            }
            try self.init(keys)
        }
    }
#endif

/// Why keys cannot be used.
struct KeySetError: Error, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
