import HTTPTypes

extension Application {
    /// Returns an OpenAPI 3.1 document, generated from the application's routes.
    /// - Parameters:
    ///   - title: the name of the API.
    ///   - version: the version of the API.
    ///   - description: a description of the API.
    ///   - credentials: the credentials for routes that require a role; `nil` when the application has no authorizer.
    public func openAPI(
        title: String, version: String, description: String, credentials: Credentials? = nil
    ) -> JSON {
        let documented = routes.filter { $0.operation != nil }
        var paths = JSON.Members()
        for route in documented {
            let path = route.path.replacing("<", with: "{").replacing(">", with: "}")
            guard var operation = route.operation else { continue }
            if let credentials { operation.require(route.access, credentials) }
            var item = (paths[path] ?? [:]).adding(route.method.rawValue.lowercased(), operation.document)
            if route.method == .get { item = item.adding("head", operation.headDocument) }
            paths[path] = item.adding("options", operation.optionsDocument)
        }
        return [
            "openapi": "3.1.0",
            "info": ["title": .string(title), "version": .string(version), "description": .string(description)],
            "servers": [["url": "/"]],
            "paths": .object(paths),
            "components": JSON.object(["schemas": .object(schemas(of: documented))])
                .adding("securitySchemes", credentials.map(Operation.securitySchemes)),
        ]
    }

    private func schemas(of routes: [RouteDescription]) -> JSON.Members {
        var schemas: JSON.Members = ["Error": HTTPError.schema, "Problem": HTTPError.problemSchema]
        for (name, schema) in routes.flatMap({ $0.operation?.schemas.sorted { $0.key < $1.key } ?? [] }) {
            schemas[name] = schema
        }
        return schemas
    }
}

extension Operation {
    /// The Operation Object that documents this operation (OpenAPI 3.1).
    var document: JSON {
        let all: JSON = ["operationId": .string(id), "summary": .string(summary), "tags": [.string(tag)]]
        return all.adding("description", text.map(JSON.string))
            .adding("parameters", parameters.isEmpty ? nil : .array(parameters.map(\.document)))
            .adding("requestBody", body.map { ["required": true, "content": Operation.document(of: $0)] })
            .adding("responses", document(of: responses))
            .adding("security", role.map { [[Operation.securityScheme: [.string($0.rawValue)]]] })
    }

    fileprivate static let securityScheme = "bearer"
    /// Returns the security scheme of HTTP authentication with a bearer token (OpenAPI 3.1, Security Scheme Object).
    fileprivate static func securitySchemes(_ credentials: Credentials) -> JSON {
        let scheme: JSON = ["type": "http", "scheme": "bearer", "description": .string(credentials.summary)]
        return [securityScheme: scheme.adding("bearerFormat", credentials.format.map(JSON.string))]
    }

    /// Adds the required role, and the responses 401 and 403, if the route requires a role. Otherwise, the operation is
    /// unchanged.
    fileprivate mutating func require(_ access: Access, _ credentials: Credentials) {
        guard case .role(let role) = access else { return }
        self.role = role
        let challenge: [(HTTPField.Name, String)] = [(.wwwAuthenticate, "The authentication challenge (RFC 6750).")]
        responses += [
            .error(.unauthorized, "The \(credentials.rawValue) is missing or invalid.", headers: challenge),
            .error(.forbidden, "The role of the \(credentials.rawValue) does not permit this.", headers: challenge),
        ]
    }

    /// The Operation Object of HEAD, derived from this GET operation: the same responses without bodies.
    var headDocument: JSON {
        var head = self
        head.id = "head" + id.prefix(1).uppercased() + id.dropFirst()
        head.summary = summary + " (header fields only)"
        head.responses = responses.map {
            var response = $0
            response.contents = []
            return response
        }
        return head.document
    }

    /// The Operation Object of OPTIONS for the path of this operation.
    var optionsDocument: JSON {
        let path = parameters.filter { $0.location == .path }
        let allowed = Response(
            .ok, "The allowed methods, in `Allow`.", headers: [(.allow, "The methods that this path supports.")])
        let name =
            path.isEmpty ? id : id + "By" + path.map { $0.name.prefix(1).uppercased() + $0.name.dropFirst() }.joined()
        return Operation(
            "options" + name.prefix(1).uppercased() + name.dropFirst(), "List the allowed methods", tag: tag,
            parameters: path.map(\.unchecked), responses: [allowed]
        ).document
    }

    private func document(of responses: [Response]) -> JSON {
        var members = JSON.Members()
        for response in responses { members[String(response.status.code)] = response.document }
        return .object(members)
    }

    fileprivate static func document(of contents: [Content]) -> JSON {
        var types = JSON.Members()
        for content in contents {
            types[content.mediaType.name] = JSON.object(["schema": content.schema]).adding("example", content.example)
        }
        return .object(types)
    }
}

extension Operation.Parameter {
    fileprivate var document: JSON {
        let all: JSON = [
            "name": .string(name), "in": .string(location.rawValue), "description": .string(summary),
            "required": .bool(location == .path), "schema": schema,
        ]
        return all.adding("example", example)
    }

    /// A copy of the parameter with a schema that allows any text, for operations that do not validate the parameter.
    fileprivate var unchecked: Self { Self(name, in: location, summary, ["type": "string"], example: example) }
}

extension Operation.Response {
    fileprivate var document: JSON {
        var fields: JSON.Members = [
            "X-Request-Id": [
                "description": "The ID of the request, which log entries contain too.", "schema": ["type": "string"],
            ]
        ]
        for (name, summary) in headers {
            fields[name.rawName] = ["description": .string(summary), "schema": ["type": "string"]]
        }
        return JSON.object(["description": .string(summary), "headers": .object(fields)])
            .adding("content", contents.isEmpty ? nil : Operation.document(of: contents))
    }
}

extension HTTPError {
    private static let members: JSON.Members = [
        "message": ["type": "string", "description": "What is wrong, and how to correct it."],
        "request_id": ["type": "string", "description": "The ID of the request, which log entries contain too."],
        "more_errors": ["type": "integer", "description": "The number of further errors that `errors` does not list."],
        "errors": [
            "type": "array", "description": "The invalid fields of the body, or parameters of the query.",
            "items": [
                "type": "object", "required": ["field", "message"],
                "properties": [
                    "field": ["type": "string"], "message": ["type": "string"],
                    "index": ["type": "integer", "description": "The index of the element when the body is an array."],
                ],
            ],
        ],
    ]

    /// The JSON Schema of an error response.
    static let schema: JSON = [
        "type": "object", "required": ["message", "request_id"], "properties": .object(members),
    ]

    /// The JSON Schema of an error response as problem details (RFC 9457).
    static let problemSchema: JSON = {
        var members = HTTPError.members
        for name in ["detail", "title", "type"] { members[name] = ["type": "string"] }
        members["status"] = ["type": "integer"]
        return [
            "type": "object", "required": ["detail", "request_id", "status", "title", "type"],
            "properties": .object(members),
        ]
    }()
}
