import ORM
import SQL
import Web

/// The fields of a model that clients can see, sorted by name like the members in JSON.
public struct Fields<Model: ORM.Model>: Sendable {
    /// The fields, sorted by name.
    let visible: [Field<Model>]
    /// The fields, in the order of the model's columns.
    private let declared: [Field<Model>]
    /// Writes rows as JSON with all fields.
    let writer: RowWriter<Model>

    /// Derives the fields from the columns of the model that are not hidden.
    public init(of _: Model.Type = Model.self) {
        declared = Model.table.columns.filter { !$0.definition.field.isHidden }
            .map { column in
                guard let field = column.field else {
                    fatalError(
                        "the type of \(Model.definition.name).\(column.definition.name) is not a FieldValue: "
                            + "add a conformance, or make the column .hidden")
                }
                guard field.order != nil || !field.column.field.isSortable else {
                    fatalError(
                        "\(Model.definition.name).\(field.name) cannot be .sortable: it is nullable, or has values without "
                            + "order")
                }
                return field
            }
        visible = declared.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        writer = RowWriter(visible)
    }

    /// Returns the field with a name; `nil` when no field has the name.
    func named(_ name: String) -> Field<Model>? { visible.first { $0.name.hasSameBytes(as: name) } }
}

/// Writes rows as JSON objects. The values are read in place, by their offsets, without copying them out of the row.
struct RowWriter<Model: ORM.Model>: Sendable {
    private struct Member: Sendable {
        /// The range of `openings` that contains the JSON before the value: the opening brace or a comma, the name, and
        /// the colon.
        let opening: Range<Int>
        let value: any FieldValue.Type
        let offset: Int
    }

    private var members: [Member] = []
    /// The JSON that precedes the value of each member, concatenated.
    private var openings: [UInt8] = []

    /// Creates a writer for some fields, which are written in this order.
    init(_ fields: [Field<Model>]) {
        for field in fields {
            let start = openings.count
            openings += [UInt8(ascii: members.isEmpty ? "{" : ",")] + JSONKey(field.name).bytes
            members.append(Member(opening: start..<openings.count, value: field.value, offset: field.offset))
        }
    }

    /// Writes a row as a JSON object.
    func write(_ row: Model, to json: inout JSONWriter) {
        guard !members.isEmpty else {
            json.beginObject()
            return json.endObject()
        }
        json.beginParts()
        withUnsafeBytes(of: row) { row in
            openings.withUnsafeBufferPointer { openings in
                // Sound: each offset is that of a stored property with the type of the member.
                guard let address = row.baseAddress else { return }
                for member in members {
                    json.part(UnsafeBufferPointer(rebasing: openings[member.opening]))
                    member.value.write(at: address + member.offset, to: &json)
                }
            }
        }
        json.endObject()
    }
}

// MARK: Parsing

/// The kind of write for which a request body is parsed.
public enum WritePurpose: Sendable {
    /// A row is created: omitted fields get their defaults.
    case create
    /// A row is replaced: omitted fields are reset to their defaults.
    case replace
    /// A merge patch is applied (RFC 7396): omitted fields are kept, and `null` resets a field to its default.
    case patch
}

extension Fields {
    /// Parses and validates a request body.
    /// - Parameters:
    ///   - json: the body.
    ///   - purpose: the kind of write, which determines how omitted fields and `null` are handled.
    ///   - name: the name of the resource, for messages.
    /// - Throws: 422, with all invalid fields.
    public func values(
        _ json: JSON, for purpose: WritePurpose, of name: String
    ) throws(HTTPError) -> ColumnValues<Model> {
        guard case .object = json else { throw HTTPError(.unprocessableContent, "The body must be a JSON object.") }
        var problems: [HTTPError.Field] = []
        let values = read(json, for: purpose, index: nil, &problems)
        guard problems.isEmpty else {
            throw HTTPError(.unprocessableContent, "The \(name) is not valid.", fields: problems)
        }
        return values
    }

    /// Parses and validates the elements of an array of new rows.
    /// - Throws: 422, with all invalid fields and the indices of the elements that contain them.
    func values(_ elements: [JSON], of name: String) throws(HTTPError) -> [ColumnValues<Model>] {
        guard (1...1000).contains(elements.count) else {
            throw HTTPError(.unprocessableContent, "The array must have 1 to 1000 elements.")
        }
        var problems: [HTTPError.Field] = []
        let values = elements.enumerated().map { read($1, for: .create, index: $0, &problems) }
        guard problems.isEmpty else {
            throw HTTPError(.unprocessableContent, "Not every \(name) is valid: none was created.", fields: problems)
        }
        return values
    }

    private func read(
        _ json: JSON, for purpose: WritePurpose, index: Int?, _ problems: inout [HTTPError.Field]
    ) -> ColumnValues<Model> {
        guard case .object(let members) = json else {
            problems.append(HTTPError.Field("", "Each element must be a JSON object.", index: index))
            return []
        }
        var values: [Assignment<Model>] = []
        for field in declared where !field.isReadOnly {
            do throws(FieldProblem) {
                if let value = try field.assignment(members[field.name], for: purpose) { values.append(value) }
            } catch {
                problems.append(HTTPError.Field(field.name, "\(field.name) \(error.message).", index: index))
            }
        }
        for name in members.names {
            let field = named(name)
            guard field?.isReadOnly ?? true else { continue }
            problems.append(
                HTTPError.Field(name, "This field \(field == nil ? "is not known" : "cannot be set").", index: index))
        }
        return ColumnValues(values)
    }
}

extension Field {
    /// Returns the assignment that a write makes to the field; `nil` when the write does not assign the column. `json`
    /// is the member of the request body for this field, or `nil` when the client omits the field.
    fileprivate func assignment(
        _ json: JSON?, for purpose: WritePurpose
    ) throws(FieldProblem) -> Assignment<Model>? {
        switch (purpose, json) {
        case (.patch, nil): return nil
        case (.patch, .null), (.replace, nil):
            guard let reset else { throw FieldProblem(json == nil ? "is required" : "must not be null") }
            return reset
        case (.create, nil):
            guard !isRequired else { throw FieldProblem("is required") }
            return constant
        case (_, let json?): return try read(json)
        }
    }
}
