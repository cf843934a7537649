import HTTPTypes

/// What a route takes and answers: what its documentation is made of (OpenAPI 3.1, Operation Object).
public struct Operation: Sendable {
    /// Names the operation among all of an application: `listCampaigns`.
    public var id: String
    /// What it does, in a few words.
    public var summary: String
    /// What else there is to know.
    public var text: String?
    /// The group that it is listed in.
    public var tag: String
    /// The parameters of its path, its query and its header fields.
    public var parameters: [Parameter]
    /// What its body may be; `nil` when it takes none.
    public var body: [Content]?
    /// All that it answers.
    public var answers: [Answer]
    /// The schemas that the others refer to, by name.
    public var schemas: [String: JSON]
    /// The role that it needs; `nil` when it needs none. The route declares it.
    var role: Role?

    /// Makes an operation.
    public init(
        _ id: String, _ summary: String, text: String? = nil, tag: String, parameters: [Parameter] = [],
        body: [Content]? = nil, answers: [Answer], schemas: [String: JSON] = [:]
    ) {
        (self.id, self.summary, self.text, self.tag) = (id, summary, text, tag)
        (self.parameters, self.body, self.answers, self.schemas) = (parameters, body, answers, schemas)
    }

    /// A parameter (OpenAPI 3.1, Parameter Object).
    public struct Parameter: Sendable {
        /// Where it stands.
        public enum Place: String, Sendable { case path, query, header }

        public var name: String
        public var place: Place
        /// What it is for.
        public var summary: String
        /// What its value is, as JSON Schema.
        public var schema: JSON
        public var example: JSON?

        /// Makes a parameter; one of the path is required, others are not.
        public init(_ name: String, in place: Place, _ summary: String, _ schema: JSON, example: JSON? = nil) {
            (self.name, self.place, self.summary, self.schema) = (name, place, summary, schema)
            self.example = example
        }
    }

    /// A body of one media type (OpenAPI 3.1, Media Type Object).
    public struct Content: Sendable {
        public var media: MediaType
        /// What it is, as JSON Schema.
        public var schema: JSON
        public var example: JSON?

        /// Makes a content.
        public init(_ media: MediaType, _ schema: JSON, example: JSON? = nil) {
            (self.media, self.schema, self.example) = (media, schema, example)
        }
    }

    /// A response (OpenAPI 3.1, Response Object).
    public struct Answer: Sendable {
        public var status: HTTPResponse.Status
        /// When it is answered.
        public var summary: String
        /// The names of header fields that are of this answer's own, and what they say.
        public var headers: [(name: HTTPField.Name, summary: String)]
        public var contents: [Content]

        /// Makes an answer.
        public init(
            _ status: HTTPResponse.Status, _ summary: String, headers: [(HTTPField.Name, String)] = [],
            _ contents: [Content] = []
        ) {
            (self.status, self.summary, self.contents) = (status, summary, contents)
            self.headers = headers.map { (name: $0, summary: $1) }
        }

        /// An error, as all are told.
        public static func error(
            _ status: HTTPResponse.Status, _ summary: String, headers: [(HTTPField.Name, String)] = []
        ) -> Answer {
            Answer(
                status, summary, headers: headers,
                [
                    Content(.json, ["$ref": "#/components/schemas/Error"]),
                    Content(.problem, ["$ref": "#/components/schemas/Problem"]),
                ])
        }
    }
}
