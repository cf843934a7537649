import HTTPTypes

/// A module of routes that does not know the application it will be mounted in, nor under which prefix.
public struct Blueprint: Sendable {
    /// Answers one request.
    public typealias Handler = @Sendable (Request) async throws -> Response

    struct Route: Sendable {
        let method: HTTPRequest.Method
        let path: String
        let handler: Handler
    }

    private(set) var routes: [Route] = []

    /// Makes a blueprint without routes.
    public init() {}

    /// Adds a route. `path` is relative to the prefix: `/` is the prefix with a slash behind it, `/<id>` has a parameter, which
    /// stands for one segment that is not empty.
    public mutating func route(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler) {
        routes.append(Route(method: method, path: path, handler: handler))
    }

    /// Adds a route for GET, and so for HEAD.
    public mutating func get(_ path: String, _ handler: @escaping Handler) { route(.get, path, handler) }

    /// Adds a route for POST.
    public mutating func post(_ path: String, _ handler: @escaping Handler) { route(.post, path, handler) }
}
