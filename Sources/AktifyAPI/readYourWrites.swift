import HTTPTypes
import ORM
import Web

/// Creates a middleware that provides read-your-writes consistency with replicas. The response to a write contains the
/// WAL position of its commit, in `X-Database-Position` and, for browsers, in a cookie. When a client sends the
/// position with a read, the read is executed by a server that has replayed the WAL up to that position.
func readYourWrites() -> Application.Middleware {
    { request, next in
        let session = CausalSession(reads: CausalSession.Reads(request.reads), after: request.position)
        var response = await CausalSession.$current.withValue(session) { await next(request) }
        // The statements of a streamed body run while it is sent.
        response.wrapStream { produce in try await CausalSession.$current.withValue(session) { try await produce() } }
        if let position = session.written {
            let position = position.description
            response.headers[.databasePosition] = position
            let secure = request.scheme == "https" ? "; Secure" : ""
            response.headers.append(
                .setCookie, "\(cookie)=\(position); Path=/; Max-Age=60; HttpOnly; SameSite=Lax\(secure)")
        }
        return response
    }
}

private let cookie = "database_position"

extension Request {
    /// The WAL position that a server must have replayed to execute this request's reads; `nil` when neither the header
    /// fields nor the cookies contain one. A malformed position counts as `WALPosition.unknown`, which no replica
    /// reaches, so that reads go to the primary.
    fileprivate var position: WALPosition? {
        let cookies = headers.values(of: .cookie).flatMap { $0.split(separator: ";") }.map(\.trimmed)
            .filter { $0.hasPrefix(cookie + "=") }.map { String($0.dropFirst(cookie.count + 1)) }
        let texts = headers.values(of: .databasePosition) + cookies
        let positions = texts.filter { !$0.isEmpty }.map { WALPosition($0) ?? .unknown }
        guard let first = positions.first else { return nil }
        return positions.dropFirst().reduce(first) { $0.merged(with: $1) }
    }
}

extension CausalSession.Reads {
    fileprivate init(_ preference: ReadPreference) {
        self =
            switch preference {
            case .primary: .primary
            case .primaryPreferred: .primaryPreferred
            case .replicaPreferred: .replicaPreferred
            }
    }
}
