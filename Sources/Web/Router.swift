import HTTPTypes

/// Finds what answers a request: the blueprint's prefix first, then the path, then the method.
struct Router: Sendable {
    private struct Mount: Sendable {
        /// The segments of its prefix, as UTF-8.
        let prefix: [[UInt8]]
        var resources: [RouteEntry] = []

        /// The segments behind the prefix, of a path that has it.
        func rest(of path: PathSegments) -> PathSegments? {
            var path = path
            for segment in prefix {
                guard let given = path.next(), given.isText(segment) else { return nil }
            }
            return path
        }
    }

    private var mounts: [Mount] = []
    /// All routes, in the order in which they were added.
    private(set) var routes: [RouteDescription] = []

    /// Adds a blueprint's routes under a prefix.
    /// - Throws: `SetupError` when the prefix is taken, or a route stands there twice.
    mutating func mount(_ blueprint: Blueprint, at prefix: String) throws(SetupError) {
        var mount = Mount(prefix: prefix == "/" ? [] : Target.segments(prefix[...]).map { Array($0.utf8) })
        guard prefix.hasPrefix("/"), prefix == "/" || !prefix.hasSuffix("/") else {
            throw SetupError("a prefix begins with a slash and does not end with one: \(prefix)")
        }
        guard !mounts.contains(where: { $0.prefix == mount.prefix }) else {
            throw SetupError("two blueprints have the prefix \(prefix): mount one of them elsewhere")
        }
        for route in blueprint.routes {
            let path = (prefix == "/" ? "" : prefix) + route.path
            try add(route, at: path, to: &mount)
            routes.append(
                RouteDescription(
                    method: route.method, path: path, blueprint: blueprint.name, operation: route.operation,
                    reads: route.reads, access: route.access))
        }
        // The longest prefix first, so that a blueprint under another's prefix is asked first.
        mounts.insert(mount, at: mounts.firstIndex { $0.prefix.count < mount.prefix.count } ?? mounts.endIndex)
    }

    private func add(_ route: Blueprint.Route, at path: String, to mount: inout Mount) throws(SetupError) {
        let resource = RouteEntry(path: path, behind: mount.prefix.count)
        let index = mount.resources.firstIndex { $0.isSame(as: resource) }
        let former = index.map { mount.resources[$0] } ?? resource
        guard let latter = former.adding(route) else {
            throw SetupError("the route \(route.method) \(resource.path) stands there twice: remove one of them")
        }
        if let index { mount.resources[index] = latter } else { mount.resources.append(latter) }
    }

    typealias Found = (resource: RouteEntry, parameters: [(name: String, value: String)])

    /// The resource that a request is for.
    func find(_ request: Request) -> Found? { find(request.target) }

    /// Which servers the reads of a request may go to.
    func reads(of request: Request) -> ReadPreference { find(request)?.resource.reads(for: request.method) ?? .primary }

    /// Lets the right handler answer.
    /// - Throws: 404, 405, and what the handler throws.
    func respond(to request: Request, _ found: Found?) async throws -> Response {
        guard let found else { return try redirect(request, Target(request.target)) }
        if let handler = found.resource.handler(for: request.method) {
            var request = request
            request.parameters = found.parameters
            request.route = found.resource.path
            return try await handler(request)
        }
        guard request.method == .options else { throw methodNotAllowed(found.resource) }
        return Response(.ok, headers: [.allow: found.resource.allow])
    }

    /// The path, with its parameters, of the route that a request for `target` would go to.
    func route(of method: HTTPRequest.Method, _ target: String) -> RouteDescription? {
        guard let (resource, _) = find(target) else { return nil }
        return routes.first { $0.method == method && $0.path == resource.path }
    }

    private func find(_ target: String) -> Found? {
        var target = target
        return target.withUTF8 { target in
            let path = PathSegments(of: target)
            for mount in mounts {
                guard let rest = mount.rest(of: path) else { continue }
                for resource in mount.resources {
                    if let parameters = resource.match(rest) { return (resource, parameters) }
                }
            }
            return nil
        }
    }

    /// Sends a request for a path that only lacks its last slash, or has slashes in a row, to the right path.
    private func redirect(_ request: Request, _ target: Target) throws -> Response {
        for path in [target.merged, target.merged + "/"] where path != target.path {
            guard let (resource, _) = find(path) else { continue }
            guard resource.takes(request.method) else { throw methodNotAllowed(resource) }
            return Response(.permanentRedirect, headers: [.location: request.url(target.redirected(to: path))])
        }
        throw HTTPError(.notFound, "Not found.")
    }

    private func methodNotAllowed(_ resource: RouteEntry) -> HTTPError {
        HTTPError(.methodNotAllowed, "The method is not allowed here.", headers: [.allow: resource.allow])
    }
}

/// A mistake in how an application was put together; it fails at start-up.
public struct SetupError: Error, CustomStringConvertible {
    public let description: String

    /// Says what is wrong, and what to do.
    public init(_ description: String) { self.description = description }
}
