import Web

#if JWT
    import FoundationEssentials
    import JWTKit
#endif

/// A public key of an identity provider, with the only algorithm that it may be used with.
struct VerificationKey: Sendable {
    /// The identifier of the key: its `kid` and its algorithm.
    let name: KeyIdentifier
    /// Returns whether a signature (the first argument) is valid for the signing input (the second argument).
    let verifies: @Sendable (_ signature: [UInt8], _ signed: [UInt8]) -> Bool
}

#if JWT
    extension VerificationKey {
        /// Creates a key from the members of a JWK (RFC 7517, section 4). Returns `nil` when the JWK is malformed, has
        /// no `kid`, has an unsupported algorithm, is not meant for signatures, contains a private key, or is an RSA
        /// key of an unsupported size.
        init?(_ members: JSON.Members) async {
            guard members.areUnique, let id = members.text("kid"), !id.isEmpty,
                let algorithm = SignatureAlgorithm(keyType: members.text("kty"), curve: members.text("crv")),
                members["alg"].map({ $0 == .string(algorithm.rawValue) }) ?? true,
                members["use"].map({ $0 == "sig" }) ?? true, members.isForVerifying,
                // A published private key is compromised.
                members["d"] == nil, let signer = try? await members.signer(algorithm)
            else { return nil }
            name = KeyIdentifier(id: id, algorithm: algorithm)
            verifies = { (try? signer.verify($0, signs: $1)) ?? false }
        }
    }

    extension SignatureAlgorithm {
        fileprivate init?(keyType: String?, curve: String?) {
            switch (keyType, curve) {
            case ("RSA", _): self = .rs256
            case ("EC", "P-256"): self = .es256
            case ("OKP", "Ed25519"): self = .edDSA
            default: return nil
            }
        }
    }

    extension JSON.Members {
        fileprivate func text(_ name: String) -> String? {
            if case .string(let text) = self[name] { text } else { nil }
        }

        /// Whether `key_ops`, if present, permits the verification of signatures.
        fileprivate var isForVerifying: Bool {
            guard let value = self["key_ops"] else { return true }
            guard case .array(let uses) = value else { return false }
            return uses.contains("verify")
        }

        /// The size of an RSA key in bits, which is the size of its modulus; 0 when the modulus is missing or
        /// malformed.
        private var modulusBits: Int {
            guard let bytes = text("n").flatMap({ [UInt8](base64URL: $0) })?.drop(while: { $0 == 0 }),
                let first = bytes.first
            else { return 0 }
            return bytes.count * 8 - first.leadingZeroBitCount
        }

        /// Creates the algorithm that verifies signatures with this key; `nil` when a required member is missing, or
        /// when the size of an RSA key is not supported.
        fileprivate func signer(_ algorithm: SignatureAlgorithm) async throws -> (any JWTAlgorithm)? {
            let keys = JWTKeyCollection()
            switch algorithm {
            case .rs256:
                guard (2048...8192).contains(modulusBits), let n = text("n"), let e = text("e") else { return nil }
                await keys.add(rsa: try Insecure.RSA.PublicKey(modulus: n, exponent: e), digestAlgorithm: .sha256)
            case .es256:
                guard let x = text("x"), let y = text("y") else { return nil }
                await keys.add(ecdsa: try ES256PublicKey(parameters: (x, y)))
            case .edDSA:
                guard let x = text("x") else { return nil }
                await keys.add(eddsa: try EdDSA.PublicKey(x: x, curve: .ed25519))
            }
            return try await keys.getKey()
        }
    }
#endif
