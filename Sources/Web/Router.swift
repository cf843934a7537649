import HTTPTypes

/// The routing table: finds the handler of a request by the prefix of its blueprint, then by the path, then by the
/// method.
struct Router: Sendable {
    private struct Mount: Sendable {
        /// The segments of the prefix, as UTF-8.
        let prefix: [[UInt8]]
        var entries: [RouteEntry] = []

        /// Returns the segments of a path after the prefix; `nil` when the path does not begin with the prefix.
        func rest(of path: PathSegments) -> PathSegments? {
            var path = path
            for segment in prefix {
                guard let actual = path.next(), actual.equals(segment) else { return nil }
            }
            return path
        }
    }

    private var mounts: [Mount] = []
    /// All routes, in the order in which they were added.
    private(set) var routes: [RouteDescription] = []

    /// Adds the routes of a blueprint under a prefix.
    /// - Throws: `SetupError` when the prefix is malformed or used by another blueprint, a route is defined twice, or
    ///   two routes with the same path give a parameter different names.
    mutating func mount(_ blueprint: Blueprint, at prefix: String) throws(SetupError) {
        var mount = Mount(prefix: prefix == "/" ? [] : Target.segments(prefix[...]).map { Array($0.utf8) })
        guard prefix.hasPrefix("/"), prefix == "/" || !prefix.hasSuffix("/") else {
            throw SetupError("a prefix must begin with a slash and must not end with one: \(prefix)")
        }
        guard !mounts.contains(where: { $0.prefix == mount.prefix }) else {
            throw SetupError("two blueprints have the prefix \(prefix): mount one of them under another prefix")
        }
        for route in blueprint.routes {
            let path = (prefix == "/" ? "" : prefix) + route.path
            try add(route, at: path, to: &mount)
            routes.append(
                RouteDescription(
                    method: route.method, path: path, blueprint: blueprint.name, operation: route.operation,
                    reads: route.reads, access: route.access))
        }
        // The longest prefix comes first, so that a blueprint mounted below another one takes precedence.
        mounts.insert(mount, at: mounts.firstIndex { $0.prefix.count < mount.prefix.count } ?? mounts.endIndex)
    }

    private func add(_ route: Blueprint.Route, at path: String, to mount: inout Mount) throws(SetupError) {
        let entry = RouteEntry(path: path, prefixCount: mount.prefix.count)
        let index = mount.entries.firstIndex { $0.isSame(as: entry) }
        let existing = index.map { mount.entries[$0] } ?? entry
        guard let extended = existing.adding(route) else {
            throw SetupError("the route \(route.method) \(entry.path) is defined twice: remove one of them")
        }
        guard existing.path == entry.path else {
            throw SetupError(
                "\(existing.path) and \(entry.path) are the same path: give their parameters the same names")
        }
        if let index { mount.entries[index] = extended } else { mount.entries.append(extended) }
    }

    typealias Match = (entry: RouteEntry, parameters: [(name: String, value: String)])

    /// Finds the entry that matches the target of a request, and the values of its parameters; `nil` when no entry
    /// matches.
    func find(_ request: Request) -> Match? { find(request.target) }

    /// Returns the database servers that may execute the reads of a request.
    func reads(of request: Request) -> ReadPreference { find(request)?.entry.reads(for: request.method) ?? .primary }

    /// Calls the handler of a request. The router itself responds to OPTIONS, and redirects a path that lacks the
    /// trailing slash or has consecutive slashes.
    /// - Throws: `HTTPError` with status 404 or 405, and what the handler throws.
    func respond(to request: Request, _ match: Match?) async throws -> Response {
        guard let match else { return try redirect(request, Target(request.target)) }
        if let handler = match.entry.handler(for: request.method) {
            var request = request
            request.parameters = match.parameters
            request.route = match.entry.path
            return try await handler(request)
        }
        guard request.method == .options else { throw methodNotAllowed(match.entry) }
        return Response(.ok, headers: [.allow: match.entry.allow])
    }

    /// Returns the route that was defined for this method and matches this target; `nil` when there is none, as for
    /// HEAD and OPTIONS.
    func route(of method: HTTPRequest.Method, _ target: String) -> RouteDescription? {
        guard let (entry, _) = find(target) else { return nil }
        return routes.first { $0.method == method && $0.path == entry.path }
    }

    private func find(_ target: String) -> Match? {
        var target = target
        return target.withUTF8 { target in
            let path = PathSegments(of: target)
            for mount in mounts {
                guard let rest = mount.rest(of: path) else { continue }
                for entry in mount.entries {
                    if let parameters = entry.match(rest) { return (entry, parameters) }
                }
            }
            return nil
        }
    }

    /// Returns a redirect to the canonical path, for a path that lacks the trailing slash or has consecutive slashes.
    /// - Throws: `HTTPError` with status 404 when no route has the canonical path; with status 405 when that path does
    ///   not support the request's method.
    private func redirect(_ request: Request, _ target: Target) throws -> Response {
        for path in [target.merged, target.merged + "/"] where path != target.path {
            guard let (entry, _) = find(path) else { continue }
            guard entry.supports(request.method) else { throw methodNotAllowed(entry) }
            return Response(.permanentRedirect, headers: [.location: request.url(target.redirected(to: path))])
        }
        throw HTTPError(.notFound, "Not found.")
    }

    private func methodNotAllowed(_ entry: RouteEntry) -> HTTPError {
        HTTPError(.methodNotAllowed, "The method is not allowed here.", headers: [.allow: entry.allow])
    }
}

/// A mistake in the routes of an application, such as a route that is defined twice. The application does not start.
public struct SetupError: Error, CustomStringConvertible {
    public let description: String

    /// Creates an error with a description of the mistake and its remedy.
    public init(_ description: String) { self.description = description }
}
