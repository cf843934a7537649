import HTTPTypes

/// Which web pages of other origins may use the application (Fetch standard, section 3.2).
public enum CORS: Sendable, Hashable {
    /// Pages of every origin.
    case anyOrigin
    /// Pages of these origins: `https://example.org`.
    case origins(Set<String>)

    private static let methods = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"

    /// The header fields that tell a browser what it may do.
    func fields(for request: Request) -> [HTTPField] {
        let origin = request.headers.value(of: .origin) ?? ""
        let vary = HTTPField(name: .vary, value: "Origin")
        guard allows(origin) else { return [vary] }
        let allowed = HTTPField(name: .accessControlAllowOrigin, value: origin.isEmpty ? "*" : origin)
        let preflight = request.method == .options ? preflightFields(for: request) : []
        return (origin.isEmpty ? [allowed] : [allowed, vary]) + preflight
    }

    private func allows(_ origin: String) -> Bool {
        switch self {
        case .anyOrigin: true
        case .origins(let origins): origins.contains(origin)
        }
    }

    private func preflightFields(for request: Request) -> [HTTPField] {
        guard let method = request.headers.value(of: .accessControlRequestMethod)?.uppercased(),
            CORS.methods.split(separator: ", ").contains(method[...])
        else { return [] }
        let methods = HTTPField(name: .accessControlAllowMethods, value: CORS.methods)
        guard let names = request.headers.value(of: .accessControlRequestHeaders), !names.isEmpty else {
            return [methods]
        }
        let sorted = names.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed)
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return [methods, HTTPField(name: .accessControlAllowHeaders, value: sorted.joined(separator: ", "))]
    }
}

extension StringProtocol {
    /// Without white space at its ends.
    public var trimmed: String {
        let start = firstIndex { !$0.isWhitespace } ?? endIndex
        let end = lastIndex { !$0.isWhitespace }.map(index(after:)) ?? start
        return String(self[start..<end])
    }
}
