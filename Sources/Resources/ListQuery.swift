import ORM
import SQL
import Web

/// The parsed query parameters of a list: filters, order, limit, cursor and fields.
struct ListQuery<Model: ORM.Model> {
    /// The query for the rows: filtered and ordered, without a limit.
    private(set) var select = Model.all
    /// The maximum number of rows of the page; `nil` for the whole list.
    private(set) var limit: Int?
    /// Whether the client requests the total number of rows.
    private(set) var wantsCount = false
    /// The fields of the response.
    private(set) var fields: [Field<Model>]
    /// Writes rows as JSON with the fields of the response.
    private(set) var writer: RowWriter<Model>

    private var searchLength = 0
    private var order: [(field: Field<Model>, isAscending: Bool)] = []
    /// The fingerprint of the table, the filters and the order. A cursor contains the fingerprint of the query that
    /// created it, and is rejected by a query with another fingerprint.
    private var fingerprint = Fingerprint(Model.definition.name.utf8)

    /// Parses and validates the query parameters of a list.
    /// - Parameter isStrict: whether an unknown parameter is an error; otherwise unknown parameters are ignored.
    /// - Throws: 422, with all invalid parameters.
    init(_ query: Query, of available: Fields<Model>, isStrict: Bool) throws(HTTPError) {
        (fields, writer) = (available.visible, available.writer)
        var problems: [HTTPError.Field] = []
        var (sort, cursor): (String?, String?) = (nil, nil)
        var (count, names): (Bool?, String?) = (nil, nil)
        for parameter in query.parameters {
            do throws(FieldProblem) {
                guard parameter.isValidUTF8 || !ListQuery.isKnown(parameter, available) else {
                    throw FieldProblem("must be UTF-8")
                }
                switch parameter.fullName {
                case "limit": limit = try ListQuery.single(limit, ListQuery.limit(parameter.value))
                case "cursor": cursor = try ListQuery.single(cursor, parameter.value)
                case "sort": sort = try ListQuery.single(sort, parameter.value)
                case "count":
                    count = try ListQuery.single(count, Bool(parameter: parameter.value))
                    wantsCount = count ?? false
                case "fields":
                    names = try ListQuery.single(names, parameter.value)
                    fields = try ListQuery.selectedFields(parameter.value, available)
                    writer = RowWriter(fields)
                case "q" where available.visible.contains { $0.search != nil }:
                    try search(parameter.value, available)
                default:
                    if try !filter(parameter, available), isStrict { throw FieldProblem("is not known") }
                }
            } catch { problems.append(parameter.problem(error)) }
        }
        do throws(FieldProblem) { order = try ListQuery.order(sort ?? "", available) } catch {
            problems.append(.init("sort", "sort \(error.message)."))
        }
        do throws(FieldProblem) { try start(after: cursor) } catch {
            problems.append(.init("cursor", "cursor \(error.message)."))
        }
        guard problems.isEmpty else {
            throw HTTPError(.unprocessableContent, "The query is not valid.", fields: problems)
        }
    }

    /// Returns the cursor of the page that begins after `row`.
    func cursor(after row: Model) -> String {
        PageCursor(fingerprint: fingerprint.value, position: order.map { $0.field.position(row) }).text
    }

    // MARK: Parameters

    /// The names of the page parameters: those that lists accept besides filters and the search.
    static var pageParameterNames: [String] { ["limit", "cursor", "sort", "count", "fields"] }

    /// Whether a parameter has the name of a page parameter, of a filter, or of the search.
    private static func isKnown(_ parameter: Query.Parameter, _ available: Fields<Model>) -> Bool {
        parameter.name == "q" || pageParameterNames.contains(parameter.name)
            || available.named(parameter.name)?.column.field.isFilterable ?? false
    }

    /// Returns `new`, the value of a parameter that may be given only once.
    /// - Throws: `FieldProblem` when the parameter was given before, that is, when `old` is not `nil`.
    static func single<Value>(_ old: Value?, _ new: Value) throws(FieldProblem) -> Value {
        guard old == nil else { throw FieldProblem("may be given only once") }
        return new
    }

    /// Parses the maximum number of elements of a page.
    static func limit(_ text: String, upTo maximum: Int = 1000) throws(FieldProblem) -> Int {
        guard let limit = try? Int32(parameter: text), (1...maximum).contains(Int(limit)) else {
            throw FieldProblem("must be an integer from 1 to \(maximum)")
        }
        return Int(limit)
    }

    /// Parses the parameter `fields` and returns the listed fields, sorted by name.
    private static func selectedFields(_ text: String, _ available: Fields<Model>) throws(FieldProblem) -> [Field<
        Model
    >] {
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        for name in names where available.named(name) == nil {
            throw FieldProblem(
                "must be a comma-separated list of \(available.visible.map(\.name).joined(separator: ", "))")
        }
        return available.visible.filter { field in names.contains { $0.hasSameBytes(as: field.name) } }
    }

    /// The maximum length of all `q` parameters together, in characters. Postgres looks up each trigram in the index,
    /// which would take seconds for long texts.
    static var maxSearchLength: Int { 255 }

    private mutating func search(_ text: String, _ available: Fields<Model>) throws(FieldProblem) {
        let text = try String(parameter: text)
        guard !text.isEmpty else { return }
        searchLength += text.unicodeScalars.count
        guard searchLength <= ListQuery.maxSearchLength else {
            throw FieldProblem("may have at most \(ListQuery.maxSearchLength) characters")
        }
        let conditions = available.visible.compactMap { $0.search?(text) }
        guard let first = conditions.first else { return }
        addCondition(conditions.dropFirst().reduce(first) { $0 || $1 }, "q", text)
    }

    /// Adds the condition of a parameter, if the parameter is a filter.
    /// - Returns: whether the parameter is a filter of this model.
    private mutating func filter(_ parameter: Query.Parameter, _ available: Fields<Model>) throws(FieldProblem) -> Bool
    {
        guard let field = available.named(parameter.name), field.column.field.isFilterable else { return false }
        addCondition(try field.filter(parameter), parameter.fullName, parameter.value)
        return true
    }

    /// Adds a condition to the filters, and the name and value of the query parameter to the fingerprint.
    private mutating func addCondition(_ condition: Condition<Model>, _ name: String, _ value: String) {
        select = select.where { _ in condition }
        // The lengths make the encoding unambiguous: a value that looks like another filter has another fingerprint.
        fingerprint.add("\(name.utf8.count),\(value.utf8.count),\(name)=\(value)&".utf8)
    }

    // MARK: Order

    /// Parses the parameter `sort`, such as `-created_on,id`: one field, followed by the primary key as a tie-breaker.
    /// When the primary key is missing, it is added.
    private static func order(
        _ text: String, _ available: Fields<Model>
    ) throws(FieldProblem) -> [(field: Field<Model>, isAscending: Bool)] {
        guard let key = available.named(Model.primaryKey.definition.name) else { return [] }
        var order: [(field: Field<Model>, isAscending: Bool)] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: !text.contains(",")) {
            let isAscending = part.utf8.first != UInt8(ascii: "-")
            let name = String(isAscending ? part : part.dropFirst())
            guard let field = available.named(name), field.order != nil,
                field.column.field.isSortable || field.column.isPrimaryKey
            else {
                throw FieldProblem("must be one of \(names(available)), with a minus before it for descending order")
            }
            order.append((field, isAscending))
        }
        guard order.count < 2 || order.count == 2 && order[1].field.name == key.name && order[0].field.name != key.name
        else { throw FieldProblem("may have only one field, optionally followed by \(key.name)") }
        return order.last?.field.name == key.name ? order : order + [(key, true)]
    }

    private static func names(_ available: Fields<Model>) -> String {
        available.visible.filter { $0.column.field.isSortable || $0.column.isPrimaryKey }.map(\.name).joined(
            separator: ", ")
    }

    /// Orders the rows, and restricts them to those after the position of the cursor, if there is one.
    private mutating func start(after cursor: String?) throws(FieldProblem) {
        for (field, isAscending) in order { fingerprint.add("\(isAscending ? "" : "-")\(field.name),".utf8) }
        var position: [[UInt8]?] = order.map { _ in nil }
        if let cursor {
            guard limit != nil else { throw FieldProblem("requires limit") }
            guard let page = PageCursor(cursor), page.fingerprint == fingerprint.value,
                page.position.count == order.count,
                !page.position.contains(nil)
            else {
                throw FieldProblem("must come from a list with the same sort and filters")
            }
            position = page.position
        }
        do {
            let orderings = try zip(order, position).compactMap { try $0.field.order?($0.isAscending, $1) }
            select = select.ordered { _ in orderings }
        } catch { throw FieldProblem("must come from a list") }
    }
}

extension Query.Parameter {
    /// Returns the problem with this parameter, for a response.
    func problem(_ error: FieldProblem) -> HTTPError.Field {
        HTTPError.Field(fullName, "\(fullName) \(error.message).")
    }
}
