import HTTPTypes
import ORM
import SQL
import Web

/// What the routes of a resource take and answer, as its fields have it.
struct ResourceOperations<Model: ORM.Model> {
    let name: String
    let plural: String
    let fields: Fields<Model>

    private var title: String { name.prefix(1).uppercased() + name.dropFirst() }
    private var titles: String { plural.prefix(1).uppercased() + plural.dropFirst() }
    private var hasVersion: Bool { Model.table.version != nil }

    private func operation(
        _ verb: String, _ noun: String, _ summary: String, text: String? = nil,
        parameters: [Operation.Parameter] = [], body: [Operation.Content]? = nil, answers: [Operation.Answer]
    ) -> Operation {
        let own = Set(answers.map(\.status.code))
        let changes = verb != "list" && verb != "get"
        let common = ResourceOperations.failures(changes: changes).filter { !own.contains($0.status.code) }
        return Operation(
            verb + noun, summary, text: text, tag: plural, parameters: parameters, body: body,
            answers: answers + common, schemas: schemas)
    }

    // MARK: Many

    var list: Operation {
        operation(
            "list", titles, "All \(plural), or a page of them",
            text:
                "Without `limit`, all of them are streamed, however many there are. Parameters that are not known are "
                + "ignored, unless the client says `Prefer: handling=strict`.",
            parameters: pages + filters + [preference("handling=strict")],
            answers: [
                Operation.Answer(
                    .ok, "The \(plural).",
                    headers: [
                        (.link, "The next page, with rel=\"next\"; not there on the last one."),
                        (.totalCount, "How many there are, with `count=true`."),
                        (.preferenceApplied, "What was done as preferred."),
                    ],
                    [
                        .init(
                            .json, ["type": "array", "items": ["anyOf": [reference, selection]]], example: [example]),
                        .init(.csv, ["type": "string"]),
                    ]),
                .error(.unprocessableContent, "A parameter is not valid."),
                .error(.notAcceptable, "There is no representation that `Accept` allows."),
                .error(.httpVersionNotSupported, "The list is long, and the client speaks HTTP/1.0."),
            ])
    }

    var create: Operation {
        operation(
            "create", title, "Create a \(name), or up to 1000, all or none",
            parameters: [
                preference("return=minimal"),
                .init(
                    "Idempotency-Key", in: .header,
                    "A name of your own for this request: sent again within 24 hours, it gives the first answer, and creates nothing. An empty one counts as none.",
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
            answers: [
                Operation.Answer(
                    .created, "It was created.",
                    headers: tagged + [
                        (.location, "Where the new \(name) is."), (.preferenceApplied, "What was done as preferred."),
                    ],
                    [.init(.json, ["oneOf": [reference, ["type": "array", "items": reference]]], example: example)]),
                .error(.badRequest, "The body is not JSON, or a header field is malformed."),
                .error(.notAcceptable, "There is no representation that `Accept` allows."),
                .error(
                    .conflict, "A value is taken, or the Idempotency-Key is in use.",
                    headers: [(.retryAfter, "When the key is in use: in so many seconds.")]),
                .error(.contentTooLarge, "The body is too large."),
                .error(.unsupportedMediaType, "The body is not `application/json`."),
                .error(.unprocessableContent, "The body is not valid, or the Idempotency-Key was used for another."),
            ])
    }

    var changeAll: Operation {
        operation(
            "change", titles, "Change all \(plural) that a filter selects",
            parameters: filters + [preference("return=minimal")], body: patch,
            answers: [affected, minimal, .error(.unprocessableContent, "The body or the filter is not valid.")]
                + bodyErrors
                + taken)
    }

    var deleteAll: Operation {
        operation(
            "delete", titles, "Delete all \(plural) that a filter selects",
            parameters: filters + [preference("return=minimal")],
            answers: [
                affected, minimal, .error(.badRequest, "A header field does not apply."),
                .error(.conflict, "One is in use: others refer to it."),
                .error(.unprocessableContent, "The filter is not valid."),
            ])
    }

    // MARK: One

    var read: Operation {
        operation(
            "get", title, "One \(name)",
            parameters: [key]
                + (hasVersion ? [condition("If-None-Match", "Answer 304 when its ETag is among these.")] : []),
            answers: [one]
                + (hasVersion ? [Operation.Answer(.notModified, "It is the one that you know.", headers: tagged)] : [])
                + (hasVersion ? [.error(.badRequest, "A header field is malformed.")] : []) + [
                    .error(.notFound, "There is none."),
                    .error(.notAcceptable, "There is no representation that `Accept` allows."),
                    .error(.unprocessableContent, "The id is not valid."),
                ])
    }

    var replace: Operation {
        operation(
            "replace", title, "Replace a \(name); what is left out gets its default",
            parameters: [key] + changeHeaders, body: [.init(.json, writable, example: writableExample)],
            answers: [one, minimal] + bodyErrors + changeErrors + taken)
    }

    var change: Operation {
        operation(
            "change", title, "Change some fields of a \(name) (RFC 7396); null resets a field to its default",
            parameters: [key] + changeHeaders, body: patch, answers: [one, minimal] + bodyErrors + changeErrors + taken)
    }

    var delete: Operation {
        operation(
            "delete", title, "Delete a \(name)", parameters: [key] + (hasVersion ? versions : []),
            answers: [Operation.Answer(.noContent, "It was deleted.")]
                + (hasVersion ? [.error(.badRequest, "A header field is malformed.")] : []) + changeErrors
                + [.error(.conflict, "It is in use: others refer to it.")])
    }

    var history: Operation {
        let position: JSON = ["type": "integer", "minimum": 1]
        return operation(
            "list", title + "Changes", "What has changed of a \(name), the latest first",
            text:
                "Those of a \(name) that was deleted are there still. What was done before changes were recorded is not there.",
            parameters: [
                key,
                .init(
                    "limit", in: .query,
                    "How many at most; \(historyLimits.usual) when it is left out, and fewer when the \(plural) are large.",
                    ["type": "integer", "minimum": 1, "maximum": .number(String(historyLimits.most))],
                    example: 20),
                .init("cursor", in: .query, "Where the page begins: what `Link` says.", position),
            ],
            answers: [
                Operation.Answer(
                    .ok, "The changes.",
                    headers: [(.link, "Earlier changes, with rel=\"next\"; not there on the last page.")],
                    [
                        .init(
                            .json, ["type": "array", "items": ["$ref": .string("#/components/schemas/\(title)Change")]])
                    ]),
                .error(.notFound, "There never was one."),
                .error(.notAcceptable, "There is no representation that `Accept` allows."),
                .error(.unprocessableContent, "The id or a parameter is not valid."),
            ])
    }

    // MARK: Parts

    private var reference: JSON { ["$ref": .string("#/components/schemas/\(title)")] }
    /// With `fields`, any of them may be left out.
    private var selection: JSON { ["$ref": .string("#/components/schemas/\(title)Selection")] }
    private var writable: JSON { ["$ref": .string("#/components/schemas/\(title)Draft")] }

    private var one: Operation.Answer {
        Operation.Answer(.ok, "The \(name).", headers: tagged, [.init(.json, reference, example: example)])
    }

    private var minimal: Operation.Answer {
        Operation.Answer(
            .noContent, "It was done, and the client prefers `return=minimal`.",
            headers: tagged + [(.preferenceApplied, "What was done as preferred.")])
    }

    private var affected: Operation.Answer {
        let schema: JSON = [
            "type": "object", "required": ["affected"], "properties": ["affected": ["type": "integer", "minimum": 0]],
        ]
        return Operation.Answer(.ok, "How many there were.", [.init(.json, schema, example: ["affected": 3])])
    }

    private var tagged: [(HTTPField.Name, String)] { hasVersion ? [(.eTag, "Names this state of the \(name).")] : [] }

    private var bodyErrors: [Operation.Answer] {
        [
            .error(.badRequest, "The body is not JSON, or a header field is malformed."),
            .error(.contentTooLarge, "The body is too large."),
            .error(.unsupportedMediaType, "The body is not JSON."),
        ]
    }

    /// What only a table with unique columns answers.
    private var taken: [Operation.Answer] {
        fields.visible.contains { $0.column.isUnique } ? [.error(.conflict, "A value is taken.")] : []
    }

    private var changeErrors: [Operation.Answer] {
        [
            .error(.notFound, "There is none."), .error(.unprocessableContent, "The id or the body is not valid."),
        ] + (hasVersion ? [.error(.preconditionFailed, "It is not the one that you know.")] : [])
    }

    private var patch: [Operation.Content] {
        let schema: JSON = ["$ref": .string("#/components/schemas/\(title)Patch")]
        return [.init(.json, schema, example: patchExample), .init(.mergePatch, schema, example: patchExample)]
    }

    /// What may happen to every request.
    private static func failures(changes: Bool) -> [Operation.Answer] {
        let retry: [(HTTPField.Name, String)] = [(.retryAfter, "In so many seconds.")]
        return [
            .error(.tooManyRequests, "Too many requests of one client at once.", headers: retry),
            .error(.internalServerError, "A defect of the service's."),
            .error(.badGateway, changes ? "A worker was lost: the change may have been made." : "A worker was lost."),
            .error(.serviceUnavailable, "Nothing was done: try again.", headers: retry),
            .error(.gatewayTimeout, changes ? "It took too long: the change may have been made." : "It took too long."),
        ]
    }
}

// MARK: Parameters

extension ResourceOperations {
    private var key: Operation.Parameter {
        let schema = fields.named(Model.primaryKey.definition.name)?.schema ?? ["type": "string"]
        let isInteger = if case .object(let members) = schema { members["type"] == "integer" } else { false }
        return .init(
            "id", in: .path, "The id of the \(name).",
            isInteger ? ["type": "integer", "format": "int64", "minimum": 0] : schema, example: isInteger ? 1 : nil)
    }

    private func condition(_ name: String, _ summary: String) -> Operation.Parameter {
        .init(
            name, in: .header, summary + " An empty one counts as none.",
            ["type": "string", "pattern": #"^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)?$"#])
    }

    private var versions: [Operation.Parameter] {
        [
            condition("If-Match", "Do it when its ETag is among these, else answer 412."),
            condition("If-None-Match", "Do it when its ETag is none of these, else answer 412."),
        ]
    }

    private var changeHeaders: [Operation.Parameter] { (hasVersion ? versions : []) + [preference("return=minimal")] }

    private func preference(_ value: String) -> Operation.Parameter {
        .init(
            "Prefer", in: .header, "`\(value)`, or nothing. Preferences that are not known are ignored (RFC 7240).",
            ["type": "string"], example: .string(value))
    }

    private var pages: [Operation.Parameter] {
        let sortable = fields.visible.filter { $0.column.field.isSortable || $0.column.isPrimaryKey }.map(\.name)
        let id = Model.primaryKey.definition.name
        let orders = sortable.flatMap { name in
            name == id ? [name, "-" + name] : [name, "-" + name, "\(name),\(id)", "-\(name),\(id)"]
        }
        let names = "(" + fields.visible.map(\.name).joined(separator: "|") + ")"
        return [
            .init(
                "limit", in: .query, "How many at most.", ["type": "integer", "minimum": 1, "maximum": 1000],
                example: 100),
            .init(
                "cursor", in: .query, "Where the page begins: what `Link` says. Only with `limit`.", ["type": "string"]),
            .init(
                "sort", in: .query, "By what they are sorted; a minus turns it round. An empty one counts as none.",
                ["type": "string", "enum": .array((orders + [""]).map(JSON.string))]),
            .init("count", in: .query, "Whether `X-Total-Count` tells how many there are.", ["type": "boolean"]),
            .init(
                "fields", in: .query, "The fields that are wanted, with commas between.",
                ["type": "string", "pattern": .string("^\(names)(,\(names))*$")],
                example: .string("\(id),\(sortable.first { $0 != id } ?? id)")),
        ]
    }

    private var filters: [Operation.Parameter] {
        let all = fields.visible.filter(\.column.field.isFilterable).flatMap { field in
            let bare = field.parameterSchema
            return [.init(field.name, in: .query, "Those whose \(field.name) is this.", bare)]
                + field.operators.map { name in
                    Operation.Parameter(
                        "\(field.name)[\(name)]", in: .query, "Those whose \(field.name) \(Self.words[name] ?? name).",
                        name == "in" ? field.listSchema : bare)
                }
        }
        let isSearchable = fields.visible.contains { $0.column.field.isSearchable }
        return all
            + (isSearchable
                ? [
                    .init(
                        "q", in: .query, "Those that have this text in them, in any case.",
                        JSON.text.adding("maxLength", .number(String(ListQuery<Model>.longestSearch))))
                ] : [])
    }

    private static var words: [String: String] {
        [
            "ne": "is not this", "in": "is one of these, with commas between", "gt": "is greater",
            "gte": "is this or greater",
            "lt": "is less", "lte": "is this or less",
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
    /// What a client may send. A text has no NUL in it, which Postgres cannot store.
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
        // White space at the ends does not count, so that a text of nothing else is too short.
        return schema.adding("pattern", column.field.isTrimmed ? .visibleTextPattern : .textPattern)
    }

    /// The value of a filter.
    fileprivate var parameterSchema: JSON {
        guard case .object(let members) = schema else { return schema }
        if isTime {
            return [
                "type": "string", "format": "date-time",
                "description": "A time of RFC 3339; a day, and a time of RFC 9110, will do too.",
            ]
        }
        let type = members["type"].map(JSON.single) ?? "string"
        let bare = JSON.object(["type": type]).adding("enum", members["enum"]).adding("format", members["format"])
            .adding("minimum", members["minimum"]).adding("maximum", members["maximum"])
        return type == "string" && bare == ["type": "string"] ? .text : bare
    }

    /// The values of a filter by `in`, with commas between.
    fileprivate var listSchema: JSON {
        guard case .object(let members) = parameterSchema, members["type"] == "integer",
            case .number(let most) = members["maximum"]
        else { return isTime ? ["type": "string", "description": "Times of RFC 3339."] : .text }
        // A pattern cannot say where the largest number lies: one digit less is always in range.
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
    /// The schema of a text that the database can hold.
    fileprivate static let text: JSON = ["type": "string", "pattern": textPattern]
    fileprivate static let textPattern: JSON = #"^[^\u0000]*$"#
    /// The pattern of a text in which there is more than white space, as Unicode has it.
    fileprivate static let visibleTextPattern: JSON =
        #"^[^\u0000]*[^\u0000\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000\u2001\u2002-\u200a\u2028\u2029\u202f\u205f\u3000][^\u0000]*$"#

    /// The type that a schema allows, besides null.
    fileprivate static func single(_ type: JSON) -> JSON {
        if case .array(let types) = type { types.first { $0 != "null" } ?? "string" } else { type }
    }

    /// A schema that allows null too.
    var nullable: JSON {
        guard case .object(let members) = self, case .string(let type) = members["type"] else { return self }
        let nullable = adding("type", [.string(type), "null"])
        guard case .array(let values) = members["enum"] else { return nullable }
        return nullable.adding("enum", .array(values + [.null]))
    }
}
