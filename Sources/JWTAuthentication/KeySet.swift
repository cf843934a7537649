import Web

/// The usable public keys of an identity provider.
struct KeySet: Sendable {
    private var keys: [KeyIdentifier: VerificationKey] = [:]

    /// The maximum size of a JWK Set in bytes, and the maximum number of its keys.
    static let (maxBytes, maxKeys) = (1_000_000, 100)

    subscript(name: KeyIdentifier) -> VerificationKey? { keys[name] }

    var count: Int { keys.count }

    /// Creates a set of keys.
    /// - Throws: `KeySetError` when there are no keys, or two keys have the same `kid` and algorithm.
    init(_ all: [VerificationKey]) throws(KeySetError) {
        for key in all {
            guard keys.updateValue(key, forKey: key.name) == nil else {
                throw KeySetError("two keys have the kid \(key.name.id)")
            }
        }
        guard !keys.isEmpty else { throw KeySetError("the JWK Set has no usable key") }
    }
}

#if JWT
    extension KeySet {
        /// Parses a JWK Set (RFC 7517, section 5). Keys that cannot be used are ignored.
        /// - Throws: `KeySetError` when the JWK Set is malformed or too large, has no usable key, or has two usable
        ///   keys with the same `kid` and algorithm.
        init(jwks bytes: [UInt8]) async throws(KeySetError) {
            guard bytes.count <= KeySet.maxBytes else {
                throw KeySetError("the JWK Set has more than \(KeySet.maxBytes) bytes")
            }
            guard let json = try? JSON(parsing: bytes, atMost: 10_000), case .object(let members) = json,
                case .array(let values) = members["keys"]
            else { throw KeySetError("the document is not a JWK Set") }
            guard values.count <= KeySet.maxKeys else {
                throw KeySetError("the JWK Set has more than \(KeySet.maxKeys) keys")
            }
            var keys: [VerificationKey] = []
            for case .object(let members) in values {
                if let key = await VerificationKey(members) { keys.append(key) }
            }
            try self.init(keys)
        }
    }
#endif

/// The reason why a JWK Set cannot be loaded.
struct KeySetError: Error, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
