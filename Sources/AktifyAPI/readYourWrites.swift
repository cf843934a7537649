import HTTPTypes
import ORM
import Web

/// Lets each client read what it has written, wherever its reads go: a write's response says how far the database's log was then, in
/// `X-Database-Position` and for browsers in a cookie, and a read that brings it back is answered by a server that is as far.
func readYourWrites() -> Application.Middleware {
    { request, next in
        let session = CausalSession(reads: CausalSession.Reads(request.reads), after: request.position)
        var response = await CausalSession.$current.withValue(session) { await next(request) }
        if case .stream(let produce) = response.body {
            // Its statements are sent while it is.
            response.body = .stream { writer in
                try await CausalSession.$current.withValue(session) { try await produce(writer) }
            }
        }
        if let position = session.written {
            let position = position.description
            response.headers[.databasePosition] = position
            response.headers.append(.setCookie, "\(cookie)=\(position); Path=/; Max-Age=60; HttpOnly; SameSite=Lax")
        }
        return response
    }
}

private let cookie = "database_position"

extension Request {
    /// How far the database must be, as the header and the cookie say: one that cannot be read is what only the primary has.
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
