import HTTPTypes

/// The documentation of a route: its parameters, request body and responses (OpenAPI 3.1, Operation Object).
public struct Operation: Sendable {
    /// The `operationId`, unique within the application: `listCampaigns`.
    public var id: String
    /// A short summary of what the operation does.
    public var summary: String
    /// A longer description; `nil` when the summary is enough.
    public var text: String?
    /// The tag, which groups operations.
    public var tag: String
    /// The parameters in the path, the query and the header fields.
    public var parameters: [Parameter]
    /// The request body in each media type; `nil` when there is no request body.
    public var body: [Content]?
    /// The possible responses. `Application.openAPI` adds 401 and 403 when the route requires a role.
    public var responses: [Response]
    /// The schemas that the operation references, by their names in `#/components/schemas`.
    public var schemas: [String: JSON]
    /// The role that the route requires; `nil` when the route requires none.
    var role: Role?

    /// Creates an operation.
    public init(
        _ id: String, _ summary: String, text: String? = nil, tag: String, parameters: [Parameter] = [],
        body: [Content]? = nil, responses: [Response], schemas: [String: JSON] = [:]
    ) {
        (self.id, self.summary, self.text, self.tag) = (id, summary, text, tag)
        (self.parameters, self.body, self.responses, self.schemas) = (parameters, body, responses, schemas)
    }

    /// A parameter (OpenAPI 3.1, Parameter Object).
    public struct Parameter: Sendable {
        /// The location of a parameter.
        public enum Location: String, Sendable { case path, query, header }

        /// The name of the parameter.
        public var name: String
        /// The location of the parameter, which the OpenAPI document calls `in`.
        public var location: Location
        /// The description of the parameter.
        public var summary: String
        /// The JSON Schema of the value.
        public var schema: JSON
        /// An example of the value.
        public var example: JSON?

        /// Creates a parameter. Path parameters are required, all others are optional.
        public init(_ name: String, in location: Location, _ summary: String, _ schema: JSON, example: JSON? = nil) {
            (self.name, self.location, self.summary, self.schema) = (name, location, summary, schema)
            self.example = example
        }
    }

    /// The content of a body in one media type (OpenAPI 3.1, Media Type Object).
    public struct Content: Sendable {
        /// The media type.
        public var mediaType: MediaType
        /// The JSON Schema of the content.
        public var schema: JSON
        /// An example of the content.
        public var example: JSON?

        /// Creates the content of a body in one media type.
        public init(_ mediaType: MediaType, _ schema: JSON, example: JSON? = nil) {
            (self.mediaType, self.schema, self.example) = (mediaType, schema, example)
        }
    }

    /// A response (OpenAPI 3.1, Response Object).
    public struct Response: Sendable {
        /// The status code.
        public var status: HTTPResponse.Status
        /// The `description` of the response: what the response means.
        public var summary: String
        /// The header fields that are specific to this response, with their descriptions.
        public var headers: [(name: HTTPField.Name, summary: String)]
        /// The body in each media type; empty when there is no body.
        public var contents: [Content]

        /// Creates a response.
        public init(
            _ status: HTTPResponse.Status, _ summary: String, headers: [(HTTPField.Name, String)] = [],
            _ contents: [Content] = []
        ) {
            (self.status, self.summary, self.contents) = (status, summary, contents)
            self.headers = headers.map { (name: $0, summary: $1) }
        }

        /// Creates an error response, whose body is available as JSON and as problem details.
        public static func error(
            _ status: HTTPResponse.Status, _ summary: String, headers: [(HTTPField.Name, String)] = []
        ) -> Response {
            Response(
                status, summary, headers: headers,
                [
                    Content(.json, ["$ref": "#/components/schemas/Error"]),
                    Content(.problem, ["$ref": "#/components/schemas/Problem"]),
                ])
        }
    }
}
