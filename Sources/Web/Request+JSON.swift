import HTTPTypes

extension Request {
    /// The maximum number of JSON values in a body. The limit ensures that any body is parsed within milliseconds.
    public static let maxJSONValues = 10_000

    /// Parses the body as JSON.
    /// - Throws: 415 when the media type of the body is not JSON, 400 when the body is malformed or empty, 413 when the
    ///   body has more than `maxJSONValues` values.
    public func json() throws(HTTPError) -> JSON {
        guard isJSON else {
            throw HTTPError(.unsupportedMediaType, "The body must be JSON: send Content-Type: application/json.")
        }
        guard !body.isEmpty else { throw HTTPError(.badRequest, "The body is empty: send a JSON object.") }
        do throws(JSONError) { return try JSON(parsing: body, atMost: Request.maxJSONValues) } catch {
            if case .tooManyValues(let limit) = error {
                throw HTTPError(
                    .contentTooLarge,
                    "The body may contain at most \(limit) values, including those nested in arrays and objects.")
            }
            throw HTTPError(.badRequest, "The body is not valid JSON: \(error).")
        }
    }

    /// Whether the media type of the body is JSON, ignoring parameters of the media type.
    private var isJSON: Bool {
        guard let value = headers.value(of: .contentType) else { return false }
        return value == "application/json" || MediaType(value.prefix { $0 != ";" }).isJSON
    }
}
