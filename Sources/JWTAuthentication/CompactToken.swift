import Authentication
import Web

/// A parsed JWS in compact serialization (RFC 7515, section 7.1). Neither the signature nor the claims have been
/// verified.
///
/// The key for the verification is selected only by `kid` and `alg`. Header parameters that contain keys or refer to
/// them (`jku`, `x5u`, `jwk`, `x5c`) are ignored.
struct CompactToken {
    /// The identifier of the key with which the signature must be verified.
    let key: KeyIdentifier
    /// The claims: the payload of the token.
    let claims: JSON.Members
    /// The signing input: the encoded header and payload, exactly as the client sent them.
    let signed: [UInt8]
    let signature: [UInt8]

    /// The maximum length of a token in bytes.
    static let maxLength = 8000
    /// The maximum number of JSON values in the header of a token, and in the claims.
    private static let maxValues = 2000

    /// Parses a token, without verifying the token.
    /// - Throws: 401, with the reason why the token cannot be parsed or is not supported.
    init(_ text: String) throws(HTTPError) {
        guard text.utf8.count <= CompactToken.maxLength else {
            throw .invalidToken("The token has more than \(CompactToken.maxLength) bytes.")
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count != 5 else { throw .invalidToken("The token is encrypted: send one that is signed only.") }
        guard parts.count == 3, let signature = [UInt8](base64URL: parts[2]) else { throw .invalidToken(.malformed) }
        key = try CompactToken.keyIdentifier(of: try CompactToken.members(of: parts[0]))
        claims = try CompactToken.members(of: parts[1])
        signed = Array(text.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
        self.signature = signature
    }

    private static func keyIdentifier(of header: JSON.Members) throws(HTTPError) -> KeyIdentifier {
        // `crit` lists extensions that must be understood (RFC 7515, section 4.1.11), and none is supported.
        guard header["crit"] == nil else { throw .invalidToken("The token's header has crit, which is not supported.") }
        guard case .string(let name) = header["alg"], let algorithm = SignatureAlgorithm(rawValue: name) else {
            let names = SignatureAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalidToken("The token's alg must be one of \(names).")
        }
        switch header["typ"] {
        case nil: break
        // Excludes tokens that the same provider signs for another purpose (RFC 8725, section 3.11; RFC 9068).
        case .string(let type) where ["jwt", "at+jwt", "application/at+jwt"].contains(type.lowercased()): break
        default: throw .invalidToken("The token's typ must be JWT or at+jwt.")
        }
        guard case .string(let id) = header["kid"], !id.isEmpty else {
            throw .invalidToken("The token's header needs a kid.")
        }
        return KeyIdentifier(id: id, algorithm: algorithm)
    }

    private static func members(of part: Substring) throws(HTTPError) -> JSON.Members {
        guard let bytes = [UInt8](base64URL: part), let json = try? JSON(parsing: bytes, atMost: maxValues),
            case .object(let members) = json
        else { throw .invalidToken(.malformed) }
        guard members.areUnique else { throw .invalidToken(.duplicates) }
        return members
    }
}

extension JSON.Members {
    /// Whether the names of all members are unique. Parsers disagree about which of two members with the same name
    /// counts (RFC 7519, section 4).
    var areUnique: Bool { Set(names).count == Array(names).count }
}

extension HTTPError {
    /// Creates a 401 response with the error code `invalid_token`.
    static func invalidToken(_ message: String) -> HTTPError { .unauthenticated(message, .invalidToken) }
}

extension String {
    fileprivate static let malformed = "The token is not a signed JWT: a part is malformed or missing."
    /// The message for a token in which an object has two members with the same name.
    static let duplicates = "The token has a duplicate member name."
}
