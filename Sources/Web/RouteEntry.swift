import HTTPTypes

/// A path with the methods that it takes.
final class RouteEntry: Sendable {
    enum Segment: Hashable, Sendable {
        /// Its UTF-8.
        case literal([UInt8])
        case parameter(String)
    }

    let path: String
    /// Those behind the prefix.
    private let segments: [Segment]
    private let handlers: [MethodHandler]

    /// Not a tuple: a function in a tuple in an array is called through a thunk at each end.
    private struct MethodHandler: Sendable {
        let method: HTTPRequest.Method
        let reads: ReadPreference
        let access: Access
        let handler: Blueprint.Handler
    }

    /// Makes one without methods.
    /// - Parameter count: of how many segments the prefix is, under which it is mounted.
    convenience init(path: String, behind count: Int) {
        let segments: [Segment] = Target.segments(path[...]).dropFirst(count).map { segment in
            segment.hasPrefix("<") && segment.hasSuffix(">")
                ? .parameter(String(segment.dropFirst().dropLast())) : .literal(Array(segment.utf8))
        }
        self.init(path, segments, [])
    }

    private init(_ path: String, _ segments: [Segment], _ handlers: [MethodHandler]) {
        (self.path, self.segments, self.handlers) = (path, segments, handlers)
    }

    /// The same path with another method; `nil` when it takes the method already.
    func adding(_ route: Blueprint.Route) -> RouteEntry? {
        guard !handlers.contains(where: { $0.method == route.method }) else { return nil }
        let entry = MethodHandler(method: route.method, reads: route.reads, access: route.access, handler: route.handler)
        return RouteEntry(path, segments, handlers + [entry])
    }

    /// Whether two paths stand for the same requests: parameters are alike, whatever their names.
    func isSame(as other: RouteEntry) -> Bool {
        segments.count == other.segments.count
            && zip(segments, other.segments).allSatisfy { pair in
                if case (.parameter, .parameter) = pair { true } else { pair.0 == pair.1 }
            }
    }

    /// The values of the parameters when this is the resource of a path, whose prefix has been taken off; else `nil`.
    func match(_ path: PathSegments) -> [(name: String, value: String)]? {
        var (path, parameters) = (path, [(name: String, value: String)]())
        for segment in segments {
            guard let given = path.next() else { return nil }
            switch segment {
            case .literal(let literal): guard given.isText(literal) else { return nil }
            case .parameter(let name):
                guard !given.isEmpty else { return nil }
                // As a rule it is the only one: an array that is made in its size, and does not grow.
                parameters = parameters.isEmpty ? [(name, given.text)] : parameters + [(name, given.text)]
            }
        }
        return path.next() == nil ? parameters : nil
    }

    /// What answers a method: HEAD is GET, whose body is left out later.
    func handler(for method: HTTPRequest.Method) -> Blueprint.Handler? { entry(for: method)?.handler }

    /// Which servers the reads of a method may go to.
    func reads(for method: HTTPRequest.Method) -> ReadPreference { entry(for: method)?.reads ?? .primary }

    /// Who may use a method; `nil` when it is not taken.
    func access(for method: HTTPRequest.Method) -> Access? { entry(for: method)?.access }

    @inline(__always)
    private func entry(for method: HTTPRequest.Method) -> MethodHandler? {
        handlers.first { $0.method == (method == .head ? .get : method) }
    }

    /// Whether a method is taken, OPTIONS included.
    func takes(_ method: HTTPRequest.Method) -> Bool { method == .options || handler(for: method) != nil }

    /// The value of `Allow`: `GET, HEAD, OPTIONS`, then the others in the order of the routes.
    var allow: String {
        let others = handlers.map(\.method.rawValue).filter { $0 != "GET" }
        return ((handler(for: .get) == nil ? [] : ["GET", "HEAD"]) + ["OPTIONS"] + others).joined(separator: ", ")
    }
}
