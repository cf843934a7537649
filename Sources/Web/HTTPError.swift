import HTTPTypes

/// A request that is answered with an error: a status, a sentence that says what to change, and where.
public struct HTTPError: Error, Sendable {
    /// What is wrong with one field of a body.
    public struct Field: Hashable, Sendable {
        /// The field's name in the body.
        public var name: String
        /// What is wrong with it, as a sentence.
        public var message: String
        /// Which element of a body that is an array, from 0 on.
        public var index: Int?

        /// Says what is wrong with a field.
        public init(_ name: String, _ message: String, index: Int? = nil) {
            (self.name, self.message, self.index) = (name, message, index)
        }
    }

    /// The status, 400 or above.
    public var status: HTTPResponse.Status
    /// What is wrong, as a sentence; it must not tell of SQL or of data.
    public var message: String
    /// What is wrong with single fields of the body.
    public var fields: [Field]
    /// Further header fields: `Allow`, `Retry-After`.
    public var headers: HeaderFields

    /// Makes an error.
    public init(_ status: HTTPResponse.Status, _ message: String, fields: [Field] = [], headers: HeaderFields = [:]) {
        self.status = status
        self.message = message
        self.fields = fields
        self.headers = headers
    }
}

/// An error of the application's that clients may know of: its HTTP form stands beside the blueprints.
public protocol HTTPErrorConvertible: Error {
    /// The error as HTTP tells it.
    var httpError: HTTPError { get }
}

extension HTTPError: HTTPErrorConvertible {
    public var httpError: HTTPError { self }

    /// What clients get to know of an error that is no business of theirs.
    static var internalServerError: HTTPError { HTTPError(.internalServerError, "Internal Server Error") }

    /// So many fields are told of; `more_errors` is the number of the others.
    static let mostFields = 20

    /// `{"errors":[…],"message":"…","more_errors":…,"request_id":"…"}`; for a client that asks for it, a problem (RFC 9457).
    func response(to request: Request) -> Response {
        let isProblem = request.wantsProblem
        var response = Response.json(status, headers: headers) { json in
            json.beginObject()
            if isProblem { json.member("detail", message) }
            if !fields.isEmpty { json.member("errors", Array(fields.prefix(HTTPError.mostFields))) }
            json.member("message", message)
            if fields.count > HTTPError.mostFields {
                json.member("more_errors", fields.count - HTTPError.mostFields)
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

    /// The name, cut: the client chose it, and it may be as long as the body.
    private var shortName: String {
        guard name.utf8.count > 256 else { return name }
        return String(String.UnicodeScalarView(name.unicodeScalars.prefix(64))) + "…"
    }
}
