/// The supported signature algorithms: the asymmetric ones that identity providers use by default.
///
/// `none` and HMAC are not supported. With HMAC, everyone who can verify a token could also forge one.
enum SignatureAlgorithm: String, CaseIterable {
    case rs256 = "RS256"
    case es256 = "ES256"
    case edDSA = "EdDSA"
}

/// Identifies a key by its `kid` and its algorithm, since a key may be used with only one algorithm (RFC 8725, section
/// 3.1).
struct KeyIdentifier: Hashable {
    /// The key ID (`kid`).
    let id: String
    let algorithm: SignatureAlgorithm
}
