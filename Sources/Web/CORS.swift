import HTTPTypes

/// Which web pages of other origins may use the application (Fetch standard, section 3.2).
public enum CORS: Sendable, Hashable {
    /// Pages of every origin.
    case anyOrigin
    /// Pages of these origins: `https://example.org`.
    case origins(Set<String>)

    private static let methods = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"

    /// Adds the header fields that tell a browser what it may do.
    func apply(to response: inout Response, for request: Request) {
        let origin = request.headers.value(of: .origin) ?? ""
        guard allows(origin) else { return response.headers.append(.vary, "Origin") }
        response.headers.append(.accessControlAllowOrigin, origin.isEmpty ? "*" : origin)
        if !origin.isEmpty { response.headers.append(.vary, "Origin") }
        if request.method == .options { answerPreflight(&response, request) }
    }

    private func allows(_ origin: String) -> Bool {
        switch self {
        case .anyOrigin: true
        case .origins(let origins): origins.contains(origin)
        }
    }

    private func answerPreflight(_ response: inout Response, _ request: Request) {
        guard let method = request.headers.value(of: .accessControlRequestMethod)?.uppercased(),
            CORS.methods.split(separator: ", ").contains(method[...])
        else { return }
        response.headers.append(.accessControlAllowMethods, CORS.methods)
        guard let names = request.headers.value(of: .accessControlRequestHeaders), !names.isEmpty else { return }
        let trimmed = names.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmed }
        response.headers.append(.accessControlAllowHeaders, trimmed.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined(separator: ", "))
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
