import HTTPTypes

/// Which web pages of other origins may use the application (Fetch standard, section 3.2).
public enum CORS: Sendable, Hashable {
    /// Pages of every origin.
    case anyOrigin
    /// Pages of these origins: `https://example.org`.
    case origins(Set<String>)

    private static let methods = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"

    /// The header fields that tell a browser what it may do.
    func fields(for request: Request) -> [HTTPField] {
        let origin = request.headers.value(of: .origin) ?? ""
        let vary = HTTPField(name: .vary, value: "Origin")
        guard allows(origin) else { return [vary] }
        let allowed = HTTPField(name: .accessControlAllowOrigin, value: origin.isEmpty ? "*" : origin)
        let preflight = request.method == .options ? preflightFields(for: request) : []
        return (origin.isEmpty ? [allowed] : [allowed, vary]) + preflight
    }

    private func allows(_ origin: String) -> Bool {
        switch self {
        case .anyOrigin: true
        case .origins(let origins): origins.contains(origin)
        }
    }

    private func preflightFields(for request: Request) -> [HTTPField] {
        guard let method = request.headers.value(of: .accessControlRequestMethod)?.uppercased(),
            CORS.methods.split(separator: ", ").contains(method[...])
        else { return [] }
        let methods = HTTPField(name: .accessControlAllowMethods, value: CORS.methods)
        guard let names = request.headers.value(of: .accessControlRequestHeaders), !names.isEmpty else {
            return [methods]
        }
        let sorted = names.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed)
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return [methods, HTTPField(name: .accessControlAllowHeaders, value: sorted.joined(separator: ", "))]
    }
}

extension StringProtocol {
    /// Without white space at its ends: the scalars that Unicode calls White_Space.
    public var trimmed: String {
        var text = String(self)
        return text.withUTF8 { utf8 in
            var rest = utf8[...]
            while let count = rest.leadingWhiteSpace { rest = rest.dropFirst(count) }
            while let count = rest.trailingWhiteSpace { rest = rest.dropLast(count) }
            return String(decoding: rest, as: UTF8.self)
        }
    }
}

/// White space in well-formed UTF-8, looked at byte by byte: text of a client's may be a megabyte of it.
extension Slice<UnsafeBufferPointer<UInt8>> {
    /// The bytes of a white space scalar that this begins with.
    fileprivate var leadingWhiteSpace: Int? { (1...3).first { count >= $0 && prefix($0).isWhiteSpace } }

    /// The bytes of a white space scalar that this ends with.
    fileprivate var trailingWhiteSpace: Int? { (1...3).first { count >= $0 && suffix($0).isWhiteSpace } }

    private var isWhiteSpace: Bool {
        switch count {
        case 1: return self[startIndex] == 0x20 || 0x09...0x0d ~= self[startIndex]
        case 2: return self[startIndex] == 0xc2 && [0x85, 0xa0].contains(self[startIndex + 1])
        default:
            let last = self[startIndex + 2]
            return switch (self[startIndex], self[startIndex + 1]) {
            case (0xe1, 0x9a), (0xe3, 0x80): last == 0x80
            case (0xe2, 0x80): 0x80...0x8a ~= last || [0xa8, 0xa9, 0xaf].contains(last)
            case (0xe2, 0x81): last == 0x9f
            default: false
            }
        }
    }
}
