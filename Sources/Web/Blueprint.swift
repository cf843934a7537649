import HTTPTypes

/// A group of routes that can be mounted in any application, under any prefix.
public struct Blueprint: Sendable {
    /// A closure that handles the requests to a route.
    public typealias Handler = @Sendable (Request) async throws -> Response

    struct Route: Sendable {
        let method: HTTPRequest.Method
        let path: String
        let operation: Operation?
        let reads: ReadPreference
        let access: Access
        let handler: Handler
    }

    /// The name of the blueprint in listings of routes.
    public let name: String
    private(set) var routes: [Route] = []

    /// The HTTP methods of all routes of the blueprint.
    public var methods: Set<HTTPRequest.Method> { Set(routes.map(\.method)) }

    /// Creates a blueprint without routes.
    public init(_ name: String) { self.name = name }

    /// Adds a route.
    /// - Parameters:
    ///   - path: the path relative to the prefix. `/` is the prefix followed by a slash; `<id>` in `/<id>` is a
    ///     parameter, which matches one non-empty segment.
    ///   - operation: the documentation of the route; `nil` leaves it out of the OpenAPI document.
    ///   - reads: the database servers that may execute the route's reads; by default only the primary.
    ///   - access: who may use the route; nobody by default. In an application without an authorizer, anyone may
    ///     use every route.
    public mutating func route(
        _ method: HTTPRequest.Method, _ path: String, _ operation: Operation? = nil, reads: ReadPreference = .primary,
        access: Access = .denied, _ handler: @escaping Handler
    ) {
        routes.append(
            Route(method: method, path: path, operation: operation, reads: reads, access: access, handler: handler))
    }

    /// Adds a route for GET, which handles HEAD too.
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

/// A description of an application's route, for listings and documentation.
public struct RouteDescription: Sendable {
    /// The request method.
    public let method: HTTPRequest.Method
    /// The path with its prefix and its parameters: `/campaigns/<id>`.
    public let path: String
    /// The name of the blueprint that defines the route.
    public let blueprint: String
    /// The documentation of the route; `nil` when it has none.
    public let operation: Operation?
    /// The database servers that may execute the route's reads.
    public let reads: ReadPreference
    /// Who may use the route.
    public let access: Access
}

/// The database servers that may execute the reads of a route when replicas are configured.
public enum ReadPreference: String, Sendable {
    /// Reads use only the primary.
    case primary
    /// Reads use the primary, or a replica while the primary is unreachable.
    case primaryPreferred = "primary preferred"
    /// Reads use a replica that has replayed the client's own writes, or the primary when there is no such replica.
    case replicaPreferred = "replica preferred"
}
