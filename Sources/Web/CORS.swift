import HTTPTypes

/// The cross-origin resource sharing policy: which origins may read responses (Fetch standard, section 3.2).
public enum CORS: Sendable, Hashable {
    /// Any origin.
    case anyOrigin
    /// Only the listed origins, such as `https://example.org`.
    case origins(Set<String>)

    private static let methods = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"

    /// The value of `Access-Control-Expose-Headers`: the response header fields that scripts may read besides the
    /// CORS-safelisted ones.
    private static let exposed =
        "ETag, Link, Location, Preference-Applied, Retry-After, X-Database-Position, X-Request-Id, X-Total-Count"

    /// Appends the CORS header fields to `fields`, which are those of the response to `request`. The response to a
    /// preflight request also lists the allowed methods and request header fields.
    func append(to fields: inout HeaderFields, for request: Request) {
        let origin = request.headers.value(of: .origin) ?? ""
        guard allows(origin) else { return fields.append(.vary, "Origin") }
        if origin.isEmpty {
            fields.append(CORS.openField)
        } else {
            fields.append(.accessControlAllowOrigin, origin)
            fields.append(.vary, "Origin")
            fields.append(.accessControlExposeHeaders, CORS.exposed)
        }
        if request.method == .options { appendPreflight(to: &fields, for: request) }
    }

    private static let openField: HeaderFields = [.accessControlAllowOrigin: "*"]

    private func allows(_ origin: String) -> Bool {
        switch self {
        case .anyOrigin: true
        case .origins(let origins): origins.contains(origin)
        }
    }

    private func appendPreflight(to fields: inout HeaderFields, for request: Request) {
        guard let method = request.headers.value(of: .accessControlRequestMethod)?.uppercased(),
            CORS.methods.split(separator: ", ").contains(method[...])
        else { return }
        fields.append(.accessControlAllowMethods, CORS.methods)
        guard let names = request.headers.value(of: .accessControlRequestHeaders), !names.isEmpty else { return }
        let sorted = names.split(separator: ",").map(\.trimmed).filter { !$0.isEmpty }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        fields.append(.accessControlAllowHeaders, sorted.joined(separator: ", "))
    }
}
