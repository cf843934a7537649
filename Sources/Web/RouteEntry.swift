import HTTPTypes

/// A path of the routing table, with the handlers of its methods.
final class RouteEntry: Sendable {
    enum Segment: Hashable, Sendable {
        /// A fixed segment, as UTF-8.
        case literal([UInt8])
        /// A parameter with this name.
        case parameter(String)
    }

    let path: String
    /// The segments of the path after the prefix.
    private let segments: [Segment]
    private let handlers: [MethodHandler]

    /// A method of the path, with its handler. This is a struct rather than a tuple, since closures in an array of
    /// tuples are called through reabstraction thunks.
    private struct MethodHandler: Sendable {
        let method: HTTPRequest.Method
        let reads: ReadPreference
        let access: Access
        let handler: Blueprint.Handler
    }

    /// Creates an entry without methods.
    /// - Parameters:
    ///   - path: the path, with its prefix.
    ///   - prefixCount: the number of segments of the prefix.
    convenience init(path: String, prefixCount: Int) {
        let segments: [Segment] = Target.segments(path[...]).dropFirst(prefixCount).map { segment in
            segment.hasPrefix("<") && segment.hasSuffix(">")
                ? .parameter(String(segment.dropFirst().dropLast())) : .literal(Array(segment.utf8))
        }
        self.init(path, segments, [])
    }

    private init(_ path: String, _ segments: [Segment], _ handlers: [MethodHandler]) {
        (self.path, self.segments, self.handlers) = (path, segments, handlers)
    }

    /// Returns a copy of this entry with the method of another route added; `nil` when this entry already has that
    /// method.
    func adding(_ route: Blueprint.Route) -> RouteEntry? {
        guard !handlers.contains(where: { $0.method == route.method }) else { return nil }
        let entry = MethodHandler(
            method: route.method, reads: route.reads, access: route.access, handler: route.handler)
        return RouteEntry(path, segments, handlers + [entry])
    }

    /// Whether both entries match the same paths, regardless of the names of parameters.
    func isSame(as other: RouteEntry) -> Bool {
        segments.count == other.segments.count
            && zip(segments, other.segments).allSatisfy { pair in
                if case (.parameter, .parameter) = pair { true } else { pair.0 == pair.1 }
            }
    }

    /// Matches a path, given without the prefix, and returns the values of the parameters; `nil` when the path does not
    /// match.
    func match(_ path: PathSegments) -> [(name: String, value: String)]? {
        var (path, parameters) = (path, [(name: String, value: String)]())
        for segment in segments {
            guard let actual = path.next() else { return nil }
            switch segment {
            case .literal(let literal): guard actual.equals(literal) else { return nil }
            case .parameter(let name):
                guard !actual.isEmpty else { return nil }
                // Most paths have one parameter: a literal allocates the array in its final size.
                parameters = parameters.isEmpty ? [(name, actual.text)] : parameters + [(name, actual.text)]
            }
        }
        return path.next() == nil ? parameters : nil
    }

    /// Returns the handler of a method. HEAD has the handler of GET; the application removes the body of the response.
    func handler(for method: HTTPRequest.Method) -> Blueprint.Handler? { entry(for: method)?.handler }

    /// Returns the database servers that may execute the reads of a method.
    func reads(for method: HTTPRequest.Method) -> ReadPreference { entry(for: method)?.reads ?? .primary }

    /// Returns the access that a method requires; `nil` when the path does not support the method.
    func access(for method: HTTPRequest.Method) -> Access? { entry(for: method)?.access }

    @inline(__always)
    private func entry(for method: HTTPRequest.Method) -> MethodHandler? {
        handlers.first { $0.method == (method == .head ? .get : method) }
    }

    /// Whether the path supports a method; every path supports OPTIONS.
    func supports(_ method: HTTPRequest.Method) -> Bool { method == .options || handler(for: method) != nil }

    /// The value of the header field `Allow`. `GET` and `HEAD` come first if the path supports GET, then `OPTIONS`,
    /// then the other methods in the order of their routes.
    var allow: String {
        let others = handlers.map(\.method.rawValue).filter { $0 != "GET" }
        return ((handler(for: .get) == nil ? [] : ["GET", "HEAD"]) + ["OPTIONS"] + others).joined(separator: ", ")
    }
}
