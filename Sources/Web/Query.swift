/// The parameters of a query string, in order, decoded as `application/x-www-form-urlencoded` (URL standard, section
/// 5.1): `+` is a space, and a name may occur more than once.
public struct Query: Hashable, Sendable {
    /// A parameter of the query. `created_on[gte]=2026-11-01` has the name `created_on` and the operator `gte`.
    public struct Parameter: Hashable, Sendable {
        /// The name, without its operator.
        public var name: String
        /// The operator in brackets after the name; `nil` when the parameter has no operator.
        public var operation: String?
        /// The value; empty when the parameter has none. Bytes that are not UTF-8 are replaced by U+FFFD.
        public var value: String
        /// Whether the value was valid UTF-8 before bytes were replaced.
        public var isValidUTF8 = true

        /// The decoded name with its operator: `created_on[gte]`.
        public var fullName: String { operation.map { "\(name)[\($0)]" } ?? name }
    }

    /// All parameters, in order.
    public let parameters: [Parameter]

    /// Parses a query string, which is the part of a request target after the first `?`.
    public init(_ text: some StringProtocol) {
        parameters = Array(text.utf8).split(separator: UInt8(ascii: "&")).map { Parameter($0) }
    }

    /// Returns the parameters with a name, with or without an operator.
    public func all(_ name: String) -> [Parameter] { parameters.filter { $0.name.hasSameBytes(as: name) } }

    /// Returns the query string `text` without the parameters called `name`, followed by the parameter `name=value`.
    fileprivate static func replacing(_ name: String, with value: String, in text: Substring) -> String {
        let others = text.utf8.split(separator: UInt8(ascii: "&")).map { Substring($0) }.filter { part in
            !Query(part).parameters.contains { $0.fullName.hasSameBytes(as: name) }
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
        (value, isValidUTF8) = (text ?? String(decoding: raw, as: UTF8.self), text != nil)
        guard whole.utf8.last == UInt8(ascii: "]"), let bracket = whole.utf8.firstIndex(of: UInt8(ascii: "[")) else {
            (name, operation) = (whole, nil)
            return
        }
        name = String(whole[..<bracket])
        operation = String(Substring(whole.utf8[whole.utf8.index(after: bracket)...].dropLast()))
    }
}

extension Request {
    /// The query parameters of the request target.
    public var query: Query { Query(Target(target).query) }

    /// Returns the URL of this request with one query parameter set to another value. Neither the name nor the value of
    /// the parameter may need percent-encoding. Bytes that URIs may not contain, which clients may send, are encoded.
    public func url(with name: String, _ value: String) -> String {
        let target = Target(target)
        let path = "\(target.path)?\(Query.replacing(name, with: value, in: target.query))"
        return url(path.utf8.percentEncoded { $0.isAllowedInURI })
    }
}
