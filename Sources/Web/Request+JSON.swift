import HTTPTypes

extension Request {
    /// The body as JSON.
    /// - Throws: 415 when the body is of another media type, 400 when it is not JSON.
    public func json() throws(HTTPError) -> JSON {
        guard isJSON else {
            throw HTTPError(.unsupportedMediaType, "The body must be JSON: send Content-Type: application/json.")
        }
        guard !body.isEmpty else { throw HTTPError(.badRequest, "The body is empty: send a JSON object.") }
        do throws(JSONError) { return try JSON(parsing: body) } catch {
            throw HTTPError(.badRequest, "The body is not valid JSON: \(error).")
        }
    }

    /// Whether the media type is `application/json`, or ends with `+json` (RFC 6839, section 3.1); parameters do not matter.
    private var isJSON: Bool {
        let type = headers.value(of: .contentType)?.prefix { $0 != ";" }.trimmed.lowercased() ?? ""
        return type == "application/json" || (type.hasPrefix("application/") && type.hasSuffix("+json"))
    }
}
