/// The parameters of a target's query, in order, decoded as forms are (URL standard, section 5.1): `+` is a space, a name may come
/// more than once.
public struct Query: Hashable, Sendable {
    /// A parameter: `created_on[gte]=2026-11-01` has the name `created_on` and the operator `gte`.
    public struct Parameter: Hashable, Sendable {
        /// The name, without its operator.
        public var name: String
        /// What stands in brackets behind the name; `nil` when nothing does.
        public var operation: String?
        /// The value; empty when there is none.
        public var value: String
        /// Whether the value is UTF-8; what is not was replaced in it.
        public var isText = true

        /// The name as it was sent, decoded: `created_on[gte]`.
        public var wholeName: String { operation.map { "\(name)[\($0)]" } ?? name }
    }

    /// All parameters.
    public let parameters: [Parameter]

    /// Takes a query apart; it is what follows the first `?` of a target.
    public init(_ text: some StringProtocol) {
        parameters = Array(text.utf8).split(separator: UInt8(ascii: "&")).map { Parameter($0) }
    }

    /// The parameters of a name.
    public func all(_ name: String) -> [Parameter] { parameters.filter { $0.name.hasSameBytes(as: name) } }

    /// The query with a parameter in place of all of its name.
    fileprivate static func replacing(_ name: String, with value: String, in text: Substring) -> String {
        let others = text.utf8.split(separator: UInt8(ascii: "&")).map { Substring($0) }.filter { part in
            !Query(part).parameters.contains { $0.wholeName.hasSameBytes(as: name) }
        }
        return (others.map { String($0) } + [name + "=" + value]).joined(separator: "&")
    }
}

extension Query.Parameter {
    fileprivate init(_ bytes: ArraySlice<UInt8>) {
        let end = bytes.firstIndex(of: UInt8(ascii: "=")) ?? bytes.endIndex
        let whole = String(decoding: Target.decodedBytes(bytes[..<end], plusIsSpace: true), as: UTF8.self)
        let raw = Target.decodedBytes(bytes[end...].dropFirst(), plusIsSpace: true)
        let text = String(validating: raw, as: UTF8.self)
        (value, isText) = (text ?? String(decoding: raw, as: UTF8.self), text != nil)
        guard whole.utf8.last == UInt8(ascii: "]"), let bracket = whole.utf8.firstIndex(of: UInt8(ascii: "[")) else {
            (name, operation) = (whole, nil)
            return
        }
        name = String(whole[..<bracket])
        operation = String(whole[whole.utf8.index(after: bracket)...].dropLast())
    }
}

extension Request {
    /// The parameters of the target's query.
    public var query: Query { Query(Target(target).query) }

    /// The URL of this request with another value of a parameter of the query, which must need no encoding.
    public func url(with name: String, _ value: String) -> String {
        let target = Target(target)
        return url("\(target.path)?\(Query.replacing(name, with: value, in: target.query))")
    }
}
