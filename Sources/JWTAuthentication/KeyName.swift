/// How tokens are signed: with public keys, and no more ways than providers use by default.
///
/// `none` and HMAC are not among them: with HMAC, who can check a token can make one.
enum SignatureAlgorithm: String, CaseIterable {
    case rs256 = "RS256"
    case es256 = "ES256"
    case edDSA = "EdDSA"
}

/// What a key is found by: a key is used with its own algorithm, and no other (RFC 8725, section 3.1).
struct KeyName: Hashable {
    let id: String
    let algorithm: SignatureAlgorithm
}
