import ORM
import SQL
import Web

/// The fields of a model, sorted by name as JSON has them.
public struct Fields<Model: ORM.Model>: Sendable {
    /// Those that clients see.
    let visible: [Field<Model>]
    /// The same, in the order of the model's columns.
    private let declared: [Field<Model>]
    /// How all of them are written.
    let all: RowWriter<Model>

    /// Takes the fields from the model's columns.
    public init(of _: Model.Type = Model.self) {
        declared = Model.table.columns.filter { !$0.definition.field.isHidden }
            .map { column in
                guard let field = column.field else {
                    preconditionFailure(
                        "\(Model.definition.name).\(column.definition.name) has a type that clients cannot send or see: "
                            + "make it a FieldValue, or the column .hidden")
                }
                return field
            }
        visible = declared.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        all = RowWriter(visible)
    }

    /// The field of a name; `nil` when clients see none of that name.
    func named(_ name: String) -> Field<Model>? { visible.first { $0.name.hasSameBytes(as: name) } }
}

/// Writes rows as JSON objects: no field of a row is copied for it.
struct RowWriter<Model: ORM.Model>: Sendable {
    private struct Member: Sendable {
        /// Where its opening is: the bracket or a comma, the name, and the colon.
        let opening: Range<Int>
        let value: any FieldValue.Type
        let offset: Int
    }

    private var members: [Member] = []
    /// The openings of all members, one after the other.
    private var openings: [UInt8] = []

    /// Makes a writer of some fields, in this order.
    init(_ fields: [Field<Model>]) {
        for field in fields {
            let start = openings.count
            openings += [UInt8(ascii: members.isEmpty ? "{" : ",")] + JSONKey(field.name).bytes
            members.append(Member(opening: start..<openings.count, value: field.value, offset: field.offset))
        }
    }

    /// Writes a row.
    func write(_ row: Model, to json: inout JSONWriter) {
        guard !members.isEmpty else {
            json.beginObject()
            return json.endObject()
        }
        json.beginParts()
        withUnsafeBytes(of: row) { row in
            openings.withUnsafeBufferPointer { openings in
                // Sound: a member's offset is that of a stored property of the row, of the member's type.
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

// MARK: Reading

/// What a body is read for.
public enum WritePurpose: Sendable {
    /// A row is made: what is left out gets its default.
    case create
    /// A row is replaced: what is left out goes back to its default.
    case replace
    /// A row is changed: what is left out stays, null goes back to the default (RFC 7396).
    case patch
}

extension Fields {
    /// Reads column values, and checks all of it.
    /// - Throws: 422, with everything that is wrong.
    public func values(_ json: JSON, for purpose: WritePurpose, of name: String) throws(HTTPError) -> ColumnValues<Model> {
        guard case .object = json else { throw HTTPError(.unprocessableContent, "The body must be a JSON object.") }
        var problems: [HTTPError.Field] = []
        let values = read(json, for: purpose, index: nil, &problems)
        guard problems.isEmpty else {
            throw HTTPError(.unprocessableContent, "The \(name) is not valid.", fields: problems)
        }
        return values
    }

    /// Reads values, and checks all of them.
    /// - Throws: 422, with everything that is wrong, and where.
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
    /// What a member of a body says of the column; `nil` when it says nothing.
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
