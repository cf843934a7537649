import HTTPTypes

/// An error response: a status, a message for the client, and the invalid body fields and query parameters.
public struct HTTPError: Error, Sendable {
    /// A problem with one field of the request body, or with one parameter of the query.
    public struct Field: Hashable, Sendable {
        /// The name of the field or parameter.
        public var name: String
        /// The problem, as a sentence.
        public var message: String
        /// The index of the invalid element when the request body is an array; otherwise `nil`.
        public var index: Int?

        /// Creates a problem with a field or parameter.
        public init(_ name: String, _ message: String, index: Int? = nil) {
            (self.name, self.message, self.index) = (name, message, index)
        }
    }

    /// The status code, 400 or above.
    public var status: HTTPResponse.Status
    /// The message for the client, as a sentence. The message must reveal neither SQL nor data.
    public var message: String
    /// The problems with fields of the request body or parameters of the query.
    public var fields: [Field]
    /// Additional header fields, such as `Allow` or `Retry-After`.
    public var headers: HeaderFields

    /// Creates an error response.
    public init(_ status: HTTPResponse.Status, _ message: String, fields: [Field] = [], headers: HeaderFields = [:]) {
        self.status = status
        self.message = message
        self.fields = fields
        self.headers = headers
    }
}

/// An error that can be converted to an error response which clients may see. All other errors become 500.
public protocol HTTPErrorConvertible: Error {
    /// The error response for clients.
    var httpError: HTTPError { get }
}

extension HTTPError: HTTPErrorConvertible {
    public var httpError: HTTPError { self }

    /// The response to an error that clients must not see: status 500, with a message that reveals nothing about the
    /// cause.
    static var internalServerError: HTTPError { HTTPError(.internalServerError, "Internal Server Error") }

    /// The maximum number of problems that an error response lists in `errors`; `more_errors` is the number of further
    /// problems.
    static let maxReportedFields = 20

    /// Returns the response to a request: `{"errors":[…],"message":"…","more_errors":…,"request_id":"…"}`, or problem
    /// details (RFC 9457) when the client prefers them.
    func response(to request: Request) -> Response {
        let isProblem = request.wantsProblem
        var response = Response.json(status, headers: headers) { json in
            json.beginObject()
            if isProblem { json.member("detail", message) }
            if !fields.isEmpty { json.member("errors", Array(fields.prefix(HTTPError.maxReportedFields))) }
            json.member("message", message)
            if fields.count > HTTPError.maxReportedFields {
                json.member("more_errors", fields.count - HTTPError.maxReportedFields)
            }
            json.member("request_id", request.id)
            if isProblem {
                json.member("status", status.code)
                json.member("title", status.reasonPhrase)
                json.member("type", "about:blank")
            }
            json.endObject()
        }
        if isProblem { response.headers[.contentType] = MediaType.problem.name }
        return response
    }
}

extension HTTPError.Field: JSONWritable {
    public func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("field", shortName)
        if let index { json.member("index", index) }
        json.member("message", message)
        json.endObject()
    }

    /// The name, truncated to 64 scalars when it is longer than 256 bytes. Clients choose the name, which could be as
    /// long as the request body.
    private var shortName: String {
        guard name.utf8.count > 256 else { return name }
        return String(String.UnicodeScalarView(name.unicodeScalars.prefix(64))) + "…"
    }
}
