import HTTPTypes
import Logging

/// Blueprints put together: takes requests, gives responses, and never fails.
public struct Application: Sendable {
    private var router = Router()
    private var middlewares: [Middleware] = []
    private var authorizer: Authorizer?
    private var changeMiddleware: HandlerMiddleware?
    private let cors: CORS
    private let log: Logger

    /// Makes an application without routes.
    public init(cors: CORS = .anyOrigin, log: Logger = Logger(label: "aktify.web")) {
        self.cors = cors
        self.log = log
    }

    /// Mounts a blueprint under a prefix: `/`, or one that begins with a slash and does not end with one.
    /// - Throws: `SetupError` when the prefix is taken, or a route stands there twice.
    public mutating func mount(_ blueprint: Blueprint, at prefix: String) throws(SetupError) {
        try router.mount(blueprint, at: prefix)
    }

    /// All routes, in the order in which they were mounted.
    public var routes: [RouteDescription] { router.routes }

    /// The route that a request for `target` would go to.
    public func route(of method: HTTPRequest.Method, _ target: String) -> RouteDescription? {
        router.route(of: method, target)
    }

    /// What stands around the answering of every request: it may do something before and after, and change both.
    public typealias Middleware = @Sendable (Request, (Request) async -> Response) async -> Response

    /// Puts something around the answering of every request; what was put there first is the outermost.
    public mutating func use(_ middleware: @escaping Middleware) { middlewares.append(middleware) }

    /// Finds out who sends a request to a route, and whether he may use it.
    /// - Throws: 401 and 403, as a rule.
    public typealias Authorizer = @Sendable (Request, Access) async throws -> Principal

    /// Has routes that are not open ask who may use them. Requests that no handler answers (404, 405, OPTIONS) are let through.
    public mutating func authorize(by authorizer: @escaping Authorizer) { self.authorizer = authorizer }

    /// Runs around a handler, inside all middlewares: it knows the route and the principal, and may throw.
    public typealias HandlerMiddleware =
        @Sendable (Request, (Request) async throws -> Response) async throws
        -> Response

    /// Sets what runs around the handlers of methods that are not safe.
    public mutating func aroundChanges(_ middleware: @escaping HandlerMiddleware) { changeMiddleware = middleware }

    /// Answers a request.
    public func respond(to request: Request) async -> Response {
        guard !middlewares.isEmpty else { return await answer(request) }
        var request = request
        request.reads = router.reads(of: request)
        return await respond(to: request, inside: middlewares[...])
    }

    private func respond(to request: Request, inside middlewares: ArraySlice<Middleware>) async -> Response {
        guard let outermost = middlewares.first else { return await answer(request) }
        return await outermost(request) { await respond(to: $0, inside: middlewares.dropFirst()) }
    }

    /// Lets the router answer. This is the only place where a request's errors are caught.
    @inline(__always)
    private func answer(_ request: Request) async -> Response {
        let found = router.find(request)
        do {
            var response = try await dispatch(request, found)
            response.route = found?.resource.path
            complete(&response, for: request)
            return response
        } catch {
            var response = respond(to: request, with: error)
            response.route = found?.resource.path
            return response
        }
    }

    /// Lets the route's handler answer whoever may use it.
    @inline(__always)
    private func dispatch(_ request: Request, _ found: Router.Found?) async throws -> Response {
        let isSafe = request.method.isSafe
        guard authorizer != nil || !isSafe, let found, let access = found.resource.access(for: request.method) else {
            return try await router.respond(to: request, found)
        }
        var request = request
        if let authorizer, access != .open { request.principal = try await authorizer(request, access) }
        guard !isSafe, let changeMiddleware else { return try await router.respond(to: request, found) }
        return try await changeMiddleware(request) { try await router.respond(to: $0, found) }
    }

    /// Answers a request with an error.
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

    /// Warning for what clients can provoke: a lack of capacity, a timeout. Debug when the client has disconnected: its task was
    /// cancelled, and fails for that reason.
    private func level(of error: any Error, _ known: HTTPError?) -> Logger.Level {
        if Task.isCancelled { return .debug }
        return error is HTTPError || [.serviceUnavailable, .gatewayTimeout].contains(known?.status) ? .warning : .error
    }

    /// Adds what every response has.
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
