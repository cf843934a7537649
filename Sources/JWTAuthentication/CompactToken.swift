import Authentication
import Web

/// A signed token in its compact serialization (RFC 7515, section 7.1), taken apart: nothing in it is proved yet.
///
/// The key is chosen by `kid` and `alg` alone: what a header says of keys elsewhere or within (`jku`, `x5u`, `jwk`, `x5c`) is not read.
struct CompactToken {
    let key: KeyName
    let claims: JSON.Members
    /// What is signed: the header and the claims, as they were sent.
    let signed: [UInt8]
    let signature: [UInt8]

    /// How many bytes a token may have.
    static let longest = 8000
    /// How many values the claims may have.
    private static let mostValues = 2000

    /// - Throws: 401, with what is wrong.
    init(_ text: String) throws(HTTPError) {
        guard text.utf8.count <= CompactToken.longest else {
            throw .invalidToken("The token has more than \(CompactToken.longest) bytes.")
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count != 5 else { throw .invalidToken("The token is encrypted: send one that is signed only.") }
        guard parts.count == 3, let signature = [UInt8](base64URL: parts[2]) else { throw .invalidToken(.malformed) }
        key = try CompactToken.keyName(of: try CompactToken.members(of: parts[0]))
        claims = try CompactToken.members(of: parts[1])
        signed = Array(text.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
        self.signature = signature
    }

    private static func keyName(of header: JSON.Members) throws(HTTPError) -> KeyName {
        // It lists extensions that must be understood, and none is (RFC 7515, section 4.1.11).
        guard header["crit"] == nil else { throw .invalidToken("The token's header has crit, which is not supported.") }
        guard case .string(let name) = header["alg"], let algorithm = SignatureAlgorithm(rawValue: name) else {
            let names = SignatureAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalidToken("The token's alg must be one of \(names).")
        }
        switch header["typ"] {
        case nil: break
        // Not a token for another purpose that the same provider signs (RFC 8725, section 3.11; RFC 9068).
        case .string(let type) where ["jwt", "at+jwt", "application/at+jwt"].contains(type.lowercased()): break
        default: throw .invalidToken("The token's typ must be JWT or at+jwt.")
        }
        guard case .string(let id) = header["kid"], !id.isEmpty else {
            throw .invalidToken("The token's header needs a kid.")
        }
        return KeyName(id: id, algorithm: algorithm)
    }

    private static func members(of part: Substring) throws(HTTPError) -> JSON.Members {
        guard let bytes = [UInt8](base64URL: part), let json = try? JSON(parsing: bytes, atMost: mostValues),
            case .object(let members) = json
        else { throw .invalidToken(.malformed) }
        guard members.areUnique else { throw .invalidToken(.duplicates) }
        return members
    }
}

extension JSON.Members {
    /// Whether no name is there twice: readers that take another one of two would disagree (RFC 7519, section 4).
    var areUnique: Bool { Set(names).count == Array(names).count }
}

extension HTTPError {
    static func invalidToken(_ message: String) -> HTTPError { .unauthenticated(message, .invalidToken) }
}

extension String {
    fileprivate static let malformed = "This is no signed token (JWT): a part is wrong or missing."
    static let duplicates = "The token has a name twice."
}
