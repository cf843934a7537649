import HTTPTypes

extension Request {
    /// How many values a body may have: parsing stays within milliseconds, whatever is in it.
    public static let jsonValues = 10_000

    /// The body as JSON.
    /// - Throws: 415 when the body is of another media type, 400 when it is not JSON, 413 when it has more than `jsonValues`.
    public func json() throws(HTTPError) -> JSON {
        guard isJSON else {
            throw HTTPError(.unsupportedMediaType, "The body must be JSON: send Content-Type: application/json.")
        }
        guard !body.isEmpty else { throw HTTPError(.badRequest, "The body is empty: send a JSON object.") }
        do throws(JSONError) { return try JSON(parsing: body, atMost: Request.jsonValues) } catch {
            if case .tooManyValues(let limit) = error {
                throw HTTPError(
                    .contentTooLarge, "The body may have \(limit) values at most, in arrays and objects too.")
            }
            throw HTTPError(.badRequest, "The body is not valid JSON: \(error).")
        }
    }

    /// Whether the body's media type is JSON's; parameters do not matter.
    private var isJSON: Bool {
        guard let value = headers.value(of: .contentType) else { return false }
        return value == "application/json" || MediaType(value.prefix { $0 != ";" }).isJSON
    }
}
