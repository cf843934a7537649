import ORM
import SQL
import Web

/// What the query of a list asks for: which rows, in what order, how many, from where on, and which fields of them.
struct ListQuery<Model: ORM.Model> {
    /// The rows, in order, without a limit.
    private(set) var select = Model.all
    /// How many rows a page has; `nil` for all of them.
    private(set) var limit: Int?
    /// Whether the number of all rows is to be told.
    private(set) var wantsCount = false
    /// The fields that are written.
    private(set) var fields: [Field<Model>]
    /// How rows are written.
    private(set) var writer: RowWriter<Model>

    private var searched = 0
    private var order: [(field: Field<Model>, isAscending: Bool)] = []
    private var list = Fingerprint(Model.definition.name.utf8)

    /// Reads a query.
    /// - Throws: 422 with every parameter that is wrong; when the client wants strict handling, also those that are not known.
    init(_ query: Query, of all: Fields<Model>, isStrict: Bool) throws(HTTPError) {
        (fields, writer) = (all.visible, all.all)
        var problems: [HTTPError.Field] = []
        var (sort, cursor): (String?, String?) = (nil, nil)
        var (count, names): (Bool?, String?) = (nil, nil)
        for parameter in query.parameters {
            do throws(FieldProblem) {
                guard parameter.isText || !ListQuery.isKnown(parameter, all) else {
                    throw FieldProblem("must be UTF-8")
                }
                switch parameter.wholeName {
                case "limit": limit = try once(limit, ListQuery.limit(parameter.value))
                case "cursor": cursor = try once(cursor, parameter.value)
                case "sort": sort = try once(sort, parameter.value)
                case "count":
                    count = try once(count, Bool(parameter: parameter.value))
                    wantsCount = count ?? false
                case "fields":
                    names = try once(names, parameter.value)
                    fields = try ListQuery.chosen(parameter.value, all)
                    writer = RowWriter(fields)
                case "q" where all.visible.contains { $0.search != nil }:
                    try search(parameter.value, all)
                default:
                    if try !filter(parameter, all), isStrict { throw FieldProblem("is not known") }
                }
            } catch { problems.append(parameter.problem(error)) }
        }
        do throws(FieldProblem) { order = try ListQuery.order(sort ?? "", all) } catch {
            problems.append(.init("sort", "sort \(error.message)."))
        }
        do throws(FieldProblem) { try begin(behind: cursor) } catch {
            problems.append(.init("cursor", "cursor \(error.message)."))
        }
        guard problems.isEmpty else {
            throw HTTPError(.unprocessableContent, "The query is not valid.", fields: problems)
        }
    }

    /// The cursor of the page behind a row.
    func cursor(behind row: Model) -> String {
        PageCursor(list: list.value, position: order.map { $0.field.position(row) }).text
    }

    // MARK: Parameters

    /// The parameters that select no rows.
    static var parametersOfPages: [String] { ["limit", "cursor", "sort", "count", "fields"] }

    private static func isKnown(_ parameter: Query.Parameter, _ all: Fields<Model>) -> Bool {
        parameter.name == "q" || parametersOfPages.contains(parameter.name)
            || all.named(parameter.name)?.column.field.isFilterable ?? false
    }

    private func once<Value>(_ old: Value?, _ new: Value) throws(FieldProblem) -> Value {
        guard old == nil else { throw FieldProblem("may be given once only") }
        return new
    }

    private static func limit(_ text: String) throws(FieldProblem) -> Int {
        guard let limit = try? Int32(parameter: text), (1...1000).contains(limit) else {
            throw FieldProblem("must be an integer from 1 to 1000")
        }
        return Int(limit)
    }

    private static func chosen(_ text: String, _ all: Fields<Model>) throws(FieldProblem) -> [Field<Model>] {
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        for name in names where all.named(name) == nil {
            throw FieldProblem(
                "must be names with commas between, of \(all.visible.map(\.name).joined(separator: ", "))")
        }
        return all.visible.filter { field in names.contains { $0.hasSameBytes(as: field.name) } }
    }

    /// How many characters `q` may have, all of them together: Postgres looks each three of them up, and longer ones take it seconds.
    static var longestSearch: Int { 255 }

    private mutating func search(_ text: String, _ all: Fields<Model>) throws(FieldProblem) {
        let text = try String(parameter: text)
        guard !text.isEmpty else { return }
        searched += text.unicodeScalars.count
        guard searched <= ListQuery.longestSearch else {
            throw FieldProblem("may have \(ListQuery.longestSearch) characters at most")
        }
        let conditions = all.visible.compactMap { $0.search?(text) }
        guard let first = conditions.first else { return }
        narrow(conditions.dropFirst().reduce(first) { $0 || $1 }, "q", text)
    }

    /// - Returns: whether there is such a filter.
    private mutating func filter(_ parameter: Query.Parameter, _ all: Fields<Model>) throws(FieldProblem) -> Bool {
        guard let field = all.named(parameter.name), field.column.field.isFilterable else { return false }
        narrow(try field.filter(parameter), parameter.wholeName, parameter.value)
        return true
    }

    private mutating func narrow(_ condition: Condition<Model>, _ name: String, _ value: String) {
        select = select.where { _ in condition }
        // The lengths keep a value that looks like another filter from being taken for it.
        list.add("\(name.utf8.count),\(value.utf8.count),\(name)=\(value)&".utf8)
    }

    // MARK: Order

    /// `-created_on,id`: one field, and the key behind it to tell rows apart that are equal in it.
    private static func order(
        _ text: String, _ all: Fields<Model>
    ) throws(FieldProblem) -> [(field: Field<Model>, isAscending: Bool)] {
        guard let key = all.named(Model.primaryKey.definition.name) else { return [] }
        var order: [(field: Field<Model>, isAscending: Bool)] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: !text.contains(",")) {
            let isAscending = part.utf8.first != UInt8(ascii: "-")
            let name = String(isAscending ? part : part.dropFirst())
            guard let field = all.named(name), field.order != nil,
                field.column.field.isSortable || field.column.isPrimaryKey
            else { throw FieldProblem("must be one of \(names(all)), with a minus before it for the other direction") }
            order.append((field, isAscending))
        }
        guard order.count < 2 || order.count == 2 && order[1].field.name == key.name && order[0].field.name != key.name
        else { throw FieldProblem("may have one field, and \(key.name) behind it") }
        return order.last?.field.name == key.name ? order : order + [(key, true)]
    }

    private static func names(_ all: Fields<Model>) -> String {
        all.visible.filter { $0.column.field.isSortable || $0.column.isPrimaryKey }.map(\.name).joined(separator: ", ")
    }

    private mutating func begin(behind cursor: String?) throws(FieldProblem) {
        for (field, isAscending) in order { list.add("\(isAscending ? "" : "-")\(field.name),".utf8) }
        var position: [[UInt8]?] = order.map { _ in nil }
        if let cursor {
            guard limit != nil else { throw FieldProblem("must come with limit") }
            guard let page = PageCursor(cursor), page.list == list.value, page.position.count == order.count,
                !page.position.contains(nil)
            else {
                throw FieldProblem("must be one that a list with the same sort and filters has answered")
            }
            position = page.position
        }
        do {
            let orderings = try zip(order, position).compactMap { try $0.field.order?($0.isAscending, $1) }
            select = select.ordered { _ in orderings }
        } catch { throw FieldProblem("must be one that a list has answered") }
    }
}

extension Query.Parameter {
    fileprivate func problem(_ error: FieldProblem) -> HTTPError.Field {
        HTTPError.Field(wholeName, "\(wholeName) \(error.message).")
    }
}
