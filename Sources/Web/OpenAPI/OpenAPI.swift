import HTTPTypes

extension Application {
    /// The application's documentation: an OpenAPI 3.1 document, made of its routes.
    /// - Parameters:
    ///   - title: what the service is called.
    ///   - version: which version of the contract it is.
    ///   - credentials: what routes that are not open need; `nil`: nothing.
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
    /// The operation as the document has it.
    var document: JSON {
        let all: JSON = ["operationId": .string(id), "summary": .string(summary), "tags": [.string(tag)]]
        return all.adding("description", text.map(JSON.string))
            .adding("parameters", parameters.isEmpty ? nil : .array(parameters.map(\.document)))
            .adding("requestBody", body.map { ["required": true, "content": Operation.document(of: $0)] })
            .adding("responses", document(of: answers))
            .adding("security", role.map { [[Operation.securityScheme: [.string($0.rawValue)]]] })
    }

    fileprivate static let securityScheme = "bearer"
    /// HTTP authentication by a bearer token (OpenAPI 3.1, Security Scheme Object).
    fileprivate static func securitySchemes(_ credentials: Credentials) -> JSON {
        let scheme: JSON = ["type": "http", "scheme": "bearer", "description": .string(credentials.summary)]
        return [securityScheme: scheme.adding("bearerFormat", credentials.format.map(JSON.string))]
    }

    /// Declares who may use it.
    fileprivate mutating func require(_ access: Access, _ credentials: Credentials) {
        guard case .role(let role) = access else { return }
        self.role = role
        let challenge: [(HTTPField.Name, String)] = [(.wwwAuthenticate, "What is needed (RFC 6750).")]
        answers += [
            .error(.unauthorized, "There is no valid \(credentials.rawValue).", headers: challenge),
            .error(.forbidden, "The \(credentials.rawValue)'s role may not do this.", headers: challenge),
        ]
    }

    /// HEAD: what GET answers, without the bodies.
    var headDocument: JSON {
        var head = self
        head.id = "head" + id.prefix(1).uppercased() + id.dropFirst()
        head.summary = "The header fields of: " + summary
        head.answers = answers.map {
            var answer = $0
            answer.contents = []
            return answer
        }
        return head.document
    }

    /// OPTIONS: the methods of the path.
    var optionsDocument: JSON {
        let path = parameters.filter { $0.place == .path }
        let allowed = Answer(.ok, "The methods are in Allow.", headers: [(.allow, "The methods of this path.")])
        let name =
            path.isEmpty ? id : id + "By" + path.map { $0.name.prefix(1).uppercased() + $0.name.dropFirst() }.joined()
        return Operation(
            "options" + name.prefix(1).uppercased() + name.dropFirst(), "Which methods there are.", tag: tag,
            parameters: path.map(\.unchecked), answers: [allowed]
        ).document
    }

    private func document(of answers: [Answer]) -> JSON {
        var responses = JSON.Members()
        for answer in answers { responses[String(answer.status.code)] = answer.document }
        return .object(responses)
    }

    fileprivate static func document(of contents: [Content]) -> JSON {
        var types = JSON.Members()
        for content in contents {
            types[content.media.name] = JSON.object(["schema": content.schema]).adding("example", content.example)
        }
        return .object(types)
    }
}

extension Operation.Parameter {
    fileprivate var document: JSON {
        let all: JSON = [
            "name": .string(name), "in": .string(place.rawValue), "description": .string(summary),
            "required": .bool(place == .path), "schema": schema,
        ]
        return all.adding("example", example)
    }

    /// The parameter where nobody looks at its value.
    fileprivate var unchecked: Self { Self(name, in: place, summary, ["type": "string"], example: example) }
}

extension Operation.Answer {
    fileprivate var document: JSON {
        var fields: JSON.Members = [
            "X-Request-Id": [
                "description": "What names the request, here and in the log.", "schema": ["type": "string"],
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
        "message": ["type": "string", "description": "What is wrong, and what to change."],
        "request_id": ["type": "string", "description": "What names the request in the log."],
        "more_errors": ["type": "integer", "description": "How many errors there are besides those that are listed."],
        "errors": [
            "type": "array", "description": "What is wrong, field by field.",
            "items": [
                "type": "object", "required": ["field", "message"],
                "properties": [
                    "field": ["type": "string"], "message": ["type": "string"],
                    "index": ["type": "integer", "description": "Which element of an array, from 0 on."],
                ],
            ],
        ],
    ]

    /// An error as JSON Schema.
    static let schema: JSON = [
        "type": "object", "required": ["message", "request_id"], "properties": .object(members),
    ]

    /// An error as RFC 9457 tells it, as JSON Schema.
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
