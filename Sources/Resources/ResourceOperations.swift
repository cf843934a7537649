import HTTPTypes
import ORM
import SQL
import Web

/// The documentation of a resource's routes, generated from its fields.
struct ResourceOperations<Model: ORM.Model> {
    let name: String
    let plural: String
    let fields: Fields<Model>

    private var title: String { name.prefix(1).uppercased() + name.dropFirst() }
    private var titles: String { plural.prefix(1).uppercased() + plural.dropFirst() }
    private var hasVersion: Bool { Model.table.version != nil }

    private func operation(
        _ verb: String, _ noun: String, _ summary: String, text: String? = nil,
        parameters: [Operation.Parameter] = [], body: [Operation.Content]? = nil, responses: [Operation.Response]
    ) -> Operation {
        let own = Set(responses.map(\.status.code))
        let changes = verb != "list" && verb != "get"
        let common = Operation.Response.failures(changes: changes).filter { !own.contains($0.status.code) }
        return Operation(
            verb + noun, summary, text: text, tag: plural, parameters: parameters, body: body,
            responses: responses + common, schemas: schemas)
    }

    // MARK: Several rows

    var list: Operation {
        operation(
            "list", titles, "List \(plural), all or a page",
            text:
                "Without `limit`, the response contains the whole list; a long one is streamed. Unknown parameters are "
                + "ignored unless the client sends `Prefer: handling=strict`.",
            parameters: pageParameters + filterParameters + [preference("handling=strict")],
            responses: [
                Operation.Response(
                    .ok, "The \(plural).",
                    headers: [
                        (.link, "The URL of the next page, with rel=\"next\"; absent on the last page."),
                        (.totalCount, "The number of \(plural) that match the filters, with `count=true`."),
                        (.preferenceApplied, "The preferences that were honored."),
                    ],
                    [
                        .init(
                            .json, ["type": "array", "items": ["anyOf": [reference, selection]]], example: [example]),
                        .init(.csv, ["type": "string"]),
                    ]),
                .error(.unprocessableContent, "A parameter is not valid."),
                .error(.notAcceptable, "No available media type is acceptable (`Accept`)."),
                .error(.httpVersionNotSupported, "The list is too long for HTTP/1.0."),
            ])
    }

    var create: Operation {
        let keyDescription =
            "A key that the client chooses for this request. A retry with the same key within 24 hours gets the first "
            + "response and creates nothing. An empty key is ignored."
        return operation(
            "create", title, "Create a \(name), or up to 1000 atomically",
            parameters: [
                preference("return=minimal"),
                .init(
                    "Idempotency-Key", in: .header, keyDescription,
                    ["type": "string", "maxLength": 255, "pattern": "^[!-~]*$"]),
            ],
            body: [
                .init(
                    .json,
                    [
                        "oneOf": [
                            writable, ["type": "array", "minItems": 1, "maxItems": 1000, "items": writable],
                        ]
                    ], example: writableExample)
            ],
            responses: [
                Operation.Response(
                    .created, "The \(name) was created, or all \(plural) of the array.",
                    headers: tagHeaders + [
                        (.location, "The URL of the new \(name)."),
                        (.preferenceApplied, "The preferences that were honored."),
                    ],
                    [.init(.json, ["oneOf": [reference, ["type": "array", "items": reference]]], example: example)]),
                .error(.badRequest, "The body is not JSON, or a header field is malformed."),
                .error(.notAcceptable, "No available media type is acceptable (`Accept`)."),
                .error(
                    .conflict, "A unique value is taken, or a request with this Idempotency-Key is in progress.",
                    headers: [(.retryAfter, "Seconds to wait before a retry, when a request is in progress.")]),
                .error(.contentTooLarge, "The body is too large."),
                .error(.unsupportedMediaType, "The body is not `application/json`."),
                .error(
                    .unprocessableContent,
                    "The body is not valid, or the Idempotency-Key was used for another request."),
            ])
    }

    var changeAll: Operation {
        operation(
            "change", titles, "Change all \(plural) that match a filter",
            parameters: filterParameters + [preference("return=minimal")], body: patch,
            responses: [
                affectedResponse, minimalResponse(),
                .error(.unprocessableContent, "The body or the filter is not valid."),
            ]
                + bodyErrors
                + uniqueViolations)
    }

    var deleteAll: Operation {
        operation(
            "delete", titles, "Delete all \(plural) that match a filter",
            parameters: filterParameters + [preference("return=minimal")],
            responses: [
                affectedResponse, minimalResponse(), .error(.badRequest, "A header field does not apply."),
                .error(.conflict, "Other rows refer to one of the \(plural)."),
                .error(.unprocessableContent, "The filter is not valid."),
            ])
    }

    // MARK: Single rows

    var read: Operation {
        operation(
            "get", title, "Get a \(name)",
            parameters: [idParameter]
                + (hasVersion
                    ? [condition("If-None-Match", "Respond with 304 if the current ETag is in this list.")] : []),
            responses: [rowResponse]
                + (hasVersion
                    ? [Operation.Response(.notModified, "The \(name) has not changed.", headers: tagHeaders)] : [])
                + (hasVersion ? [.error(.badRequest, "A header field is malformed.")] : []) + [
                    .error(.notFound, "There is no \(name) with this id."),
                    .error(.notAcceptable, "No available media type is acceptable (`Accept`)."),
                    .error(.unprocessableContent, "The id is not valid."),
                ])
    }

    var replace: Operation {
        operation(
            "replace", title, "Replace a \(name); omitted fields get their defaults",
            parameters: [idParameter] + changeParameters, body: [.init(.json, writable, example: writableExample)],
            responses: [rowResponse, minimalResponse(tagHeaders)] + bodyErrors + changeErrors + uniqueViolations)
    }

    var change: Operation {
        operation(
            "change", title, "Change some fields of a \(name) (RFC 7396); null resets a field to its default",
            parameters: [idParameter] + changeParameters, body: patch,
            responses: [rowResponse, minimalResponse(tagHeaders)] + bodyErrors + changeErrors + uniqueViolations)
    }

    var delete: Operation {
        operation(
            "delete", title, "Delete a \(name)", parameters: [idParameter] + (hasVersion ? conditions : []),
            responses: [Operation.Response(.noContent, "The \(name) was deleted.")]
                + [.error(.badRequest, "A header field is malformed, or does not apply.")] + changeErrors
                + [.error(.conflict, "Other rows refer to the \(name).")])
    }

    var history: Operation {
        let position: JSON = ["type": "integer", "minimum": 1]
        let limitDescription =
            "The maximum number of changes, \(historyLimits.default) by default. A page has fewer when the \(plural) "
            + "are large."
        return operation(
            "list", title + "Changes", "List the changes of a \(name), the latest first",
            text:
                "The list includes the changes of a deleted \(name), but no changes from before they were recorded. "
                + "Unknown parameters are ignored unless the client sends `Prefer: handling=strict`.",
            parameters: [
                idParameter,
                .init(
                    "limit", in: .query, limitDescription,
                    ["type": "integer", "minimum": 1, "maximum": .number(String(historyLimits.maximum))],
                    example: 20),
                .init("cursor", in: .query, "The start of the page, from the URL in `Link`.", position),
                preference("handling=strict"),
            ],
            responses: [
                Operation.Response(
                    .ok, "The changes.",
                    headers: [
                        (
                            .link,
                            "The URL of the page with earlier changes, with rel=\"next\"; absent on the last page."
                        ),
                        (.preferenceApplied, "The preferences that were honored."),
                    ],
                    [
                        .init(
                            .json, ["type": "array", "items": ["$ref": .string("#/components/schemas/\(title)Change")]])
                    ]),
                .error(.notFound, "There is no \(name) with this id, and no record of a deleted one."),
                .error(.notAcceptable, "No available media type is acceptable (`Accept`)."),
                .error(.unprocessableContent, "The id or a parameter is not valid."),
            ])
    }

    // MARK: Parts

    private var reference: JSON { ["$ref": .string("#/components/schemas/\(title)")] }
    /// A reference to the schema of a row in which fields may be missing: the query parameter `fields` selects the
    /// fields of a response.
    private var selection: JSON { ["$ref": .string("#/components/schemas/\(title)Selection")] }
    private var writable: JSON { ["$ref": .string("#/components/schemas/\(title)Draft")] }

    private var rowResponse: Operation.Response {
        Operation.Response(.ok, "The \(name).", headers: tagHeaders, [.init(.json, reference, example: example)])
    }

    private func minimalResponse(_ headers: [(HTTPField.Name, String)] = []) -> Operation.Response {
        Operation.Response(
            .noContent, "The change was made; there is no body since the client prefers `return=minimal`.",
            headers: headers + [(.preferenceApplied, "The preferences that were honored.")])
    }

    private var affectedResponse: Operation.Response {
        let schema: JSON = [
            "type": "object", "required": ["affected"], "properties": ["affected": ["type": "integer", "minimum": 0]],
        ]
        return Operation.Response(.ok, "The number of affected rows.", [.init(.json, schema, example: ["affected": 3])])
    }

    private var tagHeaders: [(HTTPField.Name, String)] {
        hasVersion ? [(.eTag, "The entity tag of this version of the \(name).")] : []
    }

    private var bodyErrors: [Operation.Response] {
        [
            .error(.badRequest, "The body is not JSON, or a header field is malformed."),
            .error(.contentTooLarge, "The body is too large."),
            .error(.unsupportedMediaType, "The body is not JSON."),
        ]
    }

    /// The error response to a violation of a unique constraint, as an array, which is empty if no visible field is
    /// unique.
    private var uniqueViolations: [Operation.Response] {
        fields.visible.contains { $0.column.isUnique } ? [.error(.conflict, "A unique value is taken.")] : []
    }

    private var changeErrors: [Operation.Response] {
        [
            .error(.notFound, "There is no \(name) with this id."),
            .error(.unprocessableContent, "The id or the body is not valid."),
        ] + (hasVersion ? [.error(.preconditionFailed, "The \(name) does not match If-Match or If-None-Match.")] : [])
    }

    private var patch: [Operation.Content] {
        let schema: JSON = ["$ref": .string("#/components/schemas/\(title)Patch")]
        return [.init(.json, schema, example: patchExample), .init(.mergePatch, schema, example: patchExample)]
    }
}

// MARK: Parameters

extension ResourceOperations {
    private var idParameter: Operation.Parameter {
        let schema = fields.named(Model.primaryKey.definition.name)?.schema ?? ["type": "string"]
        let isInteger = if case .object(let members) = schema { members["type"] == "integer" } else { false }
        return .init(
            "id", in: .path, "The id of the \(name).",
            isInteger ? ["type": "integer", "format": "int64", "minimum": 0] : schema, example: isInteger ? 1 : nil)
    }

    private func condition(_ name: String, _ summary: String) -> Operation.Parameter {
        .init(
            name, in: .header, summary + " An empty value is ignored.",
            ["type": "string", "pattern": #"^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)?$"#])
    }

    private var conditions: [Operation.Parameter] {
        [
            condition("If-Match", "Respond with 412 unless the current ETag is in this list."),
            condition("If-None-Match", "Respond with 412 if the current ETag is in this list."),
        ]
    }

    private var changeParameters: [Operation.Parameter] {
        (hasVersion ? conditions : []) + [preference("return=minimal")]
    }

    private func preference(_ value: String) -> Operation.Parameter {
        .init(
            "Prefer", in: .header, "`\(value)`. Unknown preferences are ignored (RFC 7240).",
            ["type": "string"], example: .string(value))
    }

    private var pageParameters: [Operation.Parameter] {
        let sortable = fields.visible.filter { $0.column.field.isSortable || $0.column.isPrimaryKey }.map(\.name)
        let id = Model.primaryKey.definition.name
        let orders = sortable.flatMap { name in
            name == id ? [name, "-" + name] : [name, "-" + name, "\(name),\(id)", "-\(name),\(id)"]
        }
        let names = "(" + fields.visible.map(\.name).joined(separator: "|") + ")"
        return [
            .init(
                "limit", in: .query, "The maximum number of \(plural) on the page.",
                ["type": "integer", "minimum": 1, "maximum": 1000],
                example: 100),
            .init(
                "cursor", in: .query, "The start of the page, from the URL in `Link`. Requires `limit`.",
                ["type": "string"]),
            .init(
                "sort", in: .query, "The sort order; a minus means descending. An empty value is ignored.",
                ["type": "string", "enum": .array((orders + [""]).map(JSON.string))]),
            .init("count", in: .query, "Whether the response has `X-Total-Count`.", ["type": "boolean"]),
            .init(
                "fields", in: .query, "The fields of the response, separated by commas.",
                ["type": "string", "pattern": .string("^\(names)(,\(names))*$")],
                example: .string("\(id),\(sortable.first { $0 != id } ?? id)")),
        ]
    }

    private var filterParameters: [Operation.Parameter] {
        let all = fields.visible.filter(\.column.field.isFilterable).flatMap { field in
            let bare = field.parameterSchema
            return [.init(field.name, in: .query, "Only \(plural) whose \(field.name) is equal to this value.", bare)]
                + field.operators.map { name in
                    Operation.Parameter(
                        "\(field.name)[\(name)]", in: .query,
                        "Only \(plural) whose \(field.name) \(Self.operatorPhrases[name] ?? name).",
                        name == "in" ? field.listSchema : bare)
                }
        }
        let isSearchable = fields.visible.contains { $0.column.field.isSearchable }
        return all
            + (isSearchable
                ? [
                    .init(
                        "q", in: .query, "Only \(plural) that contain this text (case-insensitive).",
                        JSON.text.adding("maxLength", .number(String(ListQuery<Model>.maxSearchLength))))
                ] : [])
    }

    /// The meaning of each filter operator, phrased as the end of a sentence.
    private static var operatorPhrases: [String: String] {
        [
            "ne": "is not equal to this value", "in": "is one of these values, separated by commas",
            "gt": "is greater than this value", "gte": "is greater than or equal to this value",
            "lt": "is less than this value", "lte": "is less than or equal to this value",
        ]
    }
}

// MARK: Schemas

extension ResourceOperations {
    private var schemas: [String: JSON] {
        let all = fields.visible
        let own = all.filter { !$0.isReadOnly }
        func object(_ fields: [Field<Model>], _ required: [Field<Model>], _ schema: (Field<Model>) -> JSON) -> JSON {
            var properties = JSON.Members()
            for field in fields { properties[field.name] = schema(field) }
            let object: JSON = ["type": "object", "properties": .object(properties), "additionalProperties": false]
            return object.adding("required", required.isEmpty ? nil : .array(required.map { .string($0.name) }))
        }
        let schemas: [String: JSON] = [
            title: object(all, all) { $0.schema },
            title + "Selection": object(all, []) { $0.schema },
            title + "Draft": object(own, own.filter(\.isRequired)) { $0.inputSchema },
            title + "Patch": object(own, []) { $0.isRequired ? $0.inputSchema : $0.inputSchema.nullable },
        ]
        return Model.definition.recordsChanges ? schemas.merging([title + "Change": changeSchema]) { $1 } : schemas
    }

    private var changeSchema: JSON {
        let (text, row): (JSON, JSON) = (["type": ["string", "null"]], ["anyOf": [reference, ["type": "null"]]])
        let properties: JSON.Members = [
            "after": row, "author": text, "before": row, "changed_on": Timestamp.schema, "id": ["type": "integer"],
            "operation": ["type": "string", "enum": .array(ChangeOperation.allCases.map { .string($0.rawValue) })],
            "request_id": text,
        ]
        return [
            "type": "object", "additionalProperties": false, "properties": .object(properties),
            "required": ["after", "author", "before", "changed_on", "id", "operation", "request_id"],
        ]
    }

    private func example(_ fields: [Field<Model>]) -> JSON {
        var members = JSON.Members()
        for field in fields { members[field.name] = field.example }
        return .object(members)
    }

    private var example: JSON { example(fields.visible) }
    private var writableExample: JSON { example(fields.visible.filter { !$0.isReadOnly }) }
    private var patchExample: JSON { example(Array(fields.visible.filter { !$0.isReadOnly }.prefix(1))) }
}

extension Field {
    /// The schema of the values that clients may send. Text must not contain NUL, since Postgres cannot store NUL.
    fileprivate var inputSchema: JSON {
        guard case .object(let members) = schema, let type = members["type"], JSON.single(type) == "string" else {
            return schema
        }
        if isTime, let httpDate = members["pattern"] {
            let forms: JSON = [["format": "date-time"], ["format": "date"], ["pattern": httpDate]]
            return JSON.object(["type": type, "anyOf": forms]).adding("description", members["description"])
        }
        guard members["pattern"] == nil, members["enum"] == nil, members["format"] == nil
        else { return schema }
        // Leading and trailing white space is removed, so that text which is only white space becomes empty.
        let isVisible = column.field.isTrimmed && column.field.length.map { $0.lowerBound > 0 } ?? false
        return schema.adding("pattern", isVisible ? .visibleTextPattern : .textPattern)
    }

    /// The schema of a filter's value.
    fileprivate var parameterSchema: JSON {
        guard case .object(let members) = schema else { return schema }
        if isTime {
            return [
                "type": "string", "format": "date-time",
                "description": "A date and time of RFC 3339; a date alone, or a date of RFC 9110, is accepted too.",
            ]
        }
        let type = members["type"].map(JSON.single) ?? "string"
        let bare = JSON.object(["type": type]).adding("enum", members["enum"]).adding("format", members["format"])
            .adding("minimum", members["minimum"]).adding("maximum", members["maximum"])
        return type == "string" && bare == ["type": "string"] ? .text : bare
    }

    /// The schema of the comma-separated values of a filter with the operator `in`.
    fileprivate var listSchema: JSON {
        guard case .object(let members) = parameterSchema, members["type"] == "integer",
            case .number(let most) = members["maximum"]
        else { return isTime ? ["type": "string", "description": "Dates and times of RFC 3339."] : .text }
        // A pattern cannot express the maximum: numbers with one digit less are always in range.
        let number = "-?[0-9]{1,\(max(1, most.utf8.count - 1))}"
        return ["type": "string", "pattern": .string("^,*(\(number)(,+\(number))*,*)?$")]
    }

    private var isTime: Bool { column.type.hasPrefix("timestamp") }

    fileprivate var example: JSON {
        guard case .object(let members) = schema else { return .null }
        if case .array(let values) = members["enum"], let first = values.first { return first }
        if case .array(let values) = members["examples"], let first = values.first { return first }
        switch members["type"].map(JSON.single) {
        case "boolean": return true
        case "integer", "number":
            return column.isPrimaryKey
                ? 1 : members["minimum"].flatMap { $0 == .number(String(Int64.min)) ? nil : $0 } ?? 1
        default:
            return members["format"] == "uuid"
                ? "f81d4fae-7dec-11d0-a765-00a0c91e6bf6" : .string(column.field.example ?? "Spring")
        }
    }
}

extension JSON {
    /// The schema of text that the database can store: without NUL.
    fileprivate static let text: JSON = ["type": "string", "pattern": textPattern]
    fileprivate static let textPattern: JSON = #"^[^\u0000]*$"#
    /// The pattern of text that contains more than white space (scalars with the Unicode property White_Space).
    fileprivate static let visibleTextPattern: JSON =
        #"^[^\u0000]*[^\u0000\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000\u2001\u2002-\u200a\u2028\u2029\u202f\u205f\u3000][^\u0000]*$"#

    /// Returns the type name in a schema's `type`, which is either a name or an array of a name and `null`.
    fileprivate static func single(_ type: JSON) -> JSON {
        if case .array(let types) = type { types.first { $0 != "null" } ?? "string" } else { type }
    }

    /// A copy of the schema that also allows `null`.
    var nullable: JSON {
        guard case .object(let members) = self, case .string(let type) = members["type"] else { return self }
        let nullable = adding("type", [.string(type), "null"])
        guard case .array(let values) = members["enum"] else { return nullable }
        return nullable.adding("enum", .array(values + [.null]))
    }
}
