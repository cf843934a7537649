import HTTPTypes

/// A module of routes that does not know the application it will be mounted in, nor under which prefix.
public struct Blueprint: Sendable {
    /// Answers one request.
    public typealias Handler = @Sendable (Request) async throws -> Response

    struct Route: Sendable {
        let method: HTTPRequest.Method
        let path: String
        let operation: Operation?
        let reads: ReadPreference
        let access: Access
        let handler: Handler
    }

    /// What it is called where routes are listed.
    public let name: String
    private(set) var routes: [Route] = []

    /// The methods of all routes.
    public var methods: Set<HTTPRequest.Method> { Set(routes.map(\.method)) }

    /// Makes a blueprint without routes.
    public init(_ name: String) { self.name = name }

    /// Adds a route.
    /// - Parameters:
    ///   - path: relative to the prefix: `/` is the prefix with a slash behind it, `/<id>` has a parameter, which stands for one
    ///     segment that is not empty.
    ///   - operation: what it takes and answers; a route without one is not documented.
    ///   - reads: which servers its reads may go to; the primary only when it is left out.
    ///   - access: who may use it; nobody when it is left out, where the application authenticates its clients.
    public mutating func route(
        _ method: HTTPRequest.Method, _ path: String, _ operation: Operation? = nil, reads: ReadPreference = .primary,
        access: Access = .denied, _ handler: @escaping Handler
    ) {
        routes.append(
            Route(method: method, path: path, operation: operation, reads: reads, access: access, handler: handler))
    }

    /// Adds a route for GET, and so for HEAD.
    public mutating func get(
        _ path: String, _ operation: Operation? = nil, reads: ReadPreference = .primary, access: Access = .denied,
        _ handler: @escaping Handler
    ) {
        route(.get, path, operation, reads: reads, access: access, handler)
    }

    /// Adds a route for POST.
    public mutating func post(
        _ path: String, _ operation: Operation? = nil, access: Access = .denied, _ handler: @escaping Handler
    ) {
        route(.post, path, operation, access: access, handler)
    }

    /// Adds a route for PUT.
    public mutating func put(
        _ path: String, _ operation: Operation? = nil, access: Access = .denied, _ handler: @escaping Handler
    ) {
        route(.put, path, operation, access: access, handler)
    }

    /// Adds a route for PATCH.
    public mutating func patch(
        _ path: String, _ operation: Operation? = nil, access: Access = .denied, _ handler: @escaping Handler
    ) {
        route(.patch, path, operation, access: access, handler)
    }

    /// Adds a route for DELETE.
    public mutating func delete(
        _ path: String, _ operation: Operation? = nil, access: Access = .denied, _ handler: @escaping Handler
    ) {
        route(.delete, path, operation, access: access, handler)
    }
}

/// A route of an application, as it is listed.
public struct RouteDescription: Sendable {
    /// The method.
    public let method: HTTPRequest.Method
    /// The whole path, with its parameters: `/campaigns/<id>`.
    public let path: String
    /// The blueprint that it comes from.
    public let blueprint: String
    /// What it takes and answers; `nil` when it is not documented.
    public let operation: Operation?
    /// Which servers its reads may go to.
    public let reads: ReadPreference
    /// Who may use it.
    public let access: Access
}

/// Which database servers the reads of a route may go to, where there are replicas besides the primary.
public enum ReadPreference: String, Sendable {
    /// The primary only.
    case primary
    /// The primary, or a replica while the primary cannot be reached.
    case primaryPreferred = "primary preferred"
    /// A replica that has what the client has written, or else the primary.
    case replicaPreferred = "replica preferred"
}
