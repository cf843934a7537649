import HTTPTypes
import Logging

/// A web application: mounted blueprints, middlewares and an authorizer. The application returns a response to every
/// request, and an error response when handling the request fails.
public struct Application: Sendable {
    private var router = Router()
    private var middlewares: [Middleware] = []
    private var authorizer: Authorizer?
    private var unsafeMethodMiddleware: HandlerMiddleware?
    private let cors: CORS
    private let log: Logger

    /// Creates an application without routes.
    /// - Parameters:
    ///   - cors: the origins that may read responses; any by default.
    ///   - log: the logger for errors that are the server's fault.
    public init(cors: CORS = .anyOrigin, log: Logger = Logger(label: "aktify.web")) {
        self.cors = cors
        self.log = log
    }

    /// Mounts a blueprint under a prefix: `/`, or a path that begins with a slash and does not end with one.
    /// - Throws: `SetupError` when the prefix is malformed or used by another blueprint, or when the blueprint defines
    ///   a route twice or two routes that differ only in the names of parameters.
    public mutating func mount(_ blueprint: Blueprint, at prefix: String) throws(SetupError) {
        try router.mount(blueprint, at: prefix)
    }

    /// All routes, in the order in which they were mounted.
    public var routes: [RouteDescription] { router.routes }

    /// Returns the route that was declared with this method and matches this target; `nil` when there is none, as for
    /// HEAD and OPTIONS.
    public func route(of method: HTTPRequest.Method, _ target: String) -> RouteDescription? {
        router.route(of: method, target)
    }

    /// A function that runs around the handling of every request: it may change the request before it calls `next` (its
    /// second argument) and the response afterwards.
    public typealias Middleware = @Sendable (Request, (Request) async -> Response) async -> Response

    /// Adds a middleware. The first one added runs outermost.
    public mutating func use(_ middleware: @escaping Middleware) { middlewares.append(middleware) }

    /// A function that authenticates the client of a request, and checks that the client has the access that the route
    /// requires.
    /// - Throws: usually `HTTPError`: 401 without valid credentials, 403 without the required role.
    public typealias Authorizer = @Sendable (Request, Access) async throws -> Principal

    /// Sets the authorizer, which runs for all routes that are not open. The authorizer does not run for requests that
    /// no handler receives (404, 405, OPTIONS). Without an authorizer, anyone may use every route, even one whose
    /// access is `denied`.
    public mutating func authorize(by authorizer: @escaping Authorizer) { self.authorizer = authorizer }

    /// A middleware that runs around a route's handler, inside all other middlewares. The middleware runs after the
    /// request has been routed and authorized, and may throw.
    public typealias HandlerMiddleware =
        @Sendable (Request, (Request) async throws -> Response) async throws
        -> Response

    /// Sets the middleware around the handlers of unsafe methods, such as POST (RFC 9110, section 9.2.1).
    public mutating func useForUnsafeMethods(_ middleware: @escaping HandlerMiddleware) {
        unsafeMethodMiddleware = middleware
    }

    /// Handles a request: runs the middlewares, the authorizer and the handler of the route.
    public func respond(to request: Request) async -> Response {
        guard !middlewares.isEmpty else { return await handle(request) }
        var request = request
        request.reads = router.reads(of: request)
        return await respond(to: request, inside: middlewares[...])
    }

    private func respond(to request: Request, inside middlewares: ArraySlice<Middleware>) async -> Response {
        guard let outermost = middlewares.first else { return await handle(request) }
        return await outermost(request) { await respond(to: $0, inside: middlewares.dropFirst()) }
    }

    /// Routes the request and completes the response. This is the only place that catches the errors of a request.
    @inline(__always)
    private func handle(_ request: Request) async -> Response {
        let match = router.find(request)
        do {
            var response = try await dispatch(request, match)
            response.route = match?.entry.path
            complete(&response, for: request)
            return response
        } catch {
            var response = respond(to: request, with: error)
            response.route = match?.entry.path
            return response
        }
    }

    /// Authorizes the request, then calls the handler of its route.
    @inline(__always)
    private func dispatch(_ request: Request, _ match: Router.Match?) async throws -> Response {
        let isSafe = request.method.isSafe
        guard authorizer != nil || !isSafe, let match, let access = match.entry.access(for: request.method) else {
            return try await router.respond(to: request, match)
        }
        var request = request
        if let authorizer, access != .open { request.principal = try await authorizer(request, access) }
        guard !isSafe, let unsafeMethodMiddleware else { return try await router.respond(to: request, match) }
        return try await unsafeMethodMiddleware(request) { try await router.respond(to: $0, match) }
    }

    /// Returns the error response to a request. An error that is not `HTTPErrorConvertible` becomes 500. All server
    /// errors (5xx) are logged.
    public func respond(to request: Request, with error: any Error) -> Response {
        let known = (error as? any HTTPErrorConvertible)?.httpError
        if known == nil || known?.status.kind == .serverError {
            log.log(
                level: level(of: error, known), "\(error)",
                metadata: ["request_id": "\(request.id)", "request": "\(request.method) \(request.target)"])
        }
        var response = (known ?? .internalServerError).response(to: request)
        complete(&response, for: request)
        return response
    }

    /// Returns the log level of a server error: debug when the request's task was cancelled, because the client has
    /// disconnected or the request timed out; warning for errors that clients can provoke (503, 504, and any thrown
    /// `HTTPError`); otherwise error.
    private func level(of error: any Error, _ known: HTTPError?) -> Logger.Level {
        if Task.isCancelled { return .debug }
        return error is HTTPError || [.serviceUnavailable, .gatewayTimeout].contains(known?.status) ? .warning : .error
    }

    /// Adds the header fields that every response has, and removes the body when HTTP allows none (204, 304, and
    /// responses to HEAD).
    private func complete(_ response: inout Response, for request: Request) {
        cors.append(to: &response.headers, for: request)
        let hasContent = response.status != .noContent && response.status != .notModified
        if hasContent, case .bytes(let bytes) = response.body {
            response.headers.append(.contentLength, bytes.count)
        }
        if !hasContent || request.method == .head { response.body = .bytes([]) }
        response.headers.append(.requestID, request.id)
    }
}
