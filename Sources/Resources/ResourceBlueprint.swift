import HTTPTypes
import ORM
import SQL
import Web

extension Blueprint {
    /// Creates a blueprint with all routes of a resource. Further routes can be added.
    ///
    /// Under `/`: list, create, and change or delete the rows that a filter selects. Under `/<id>`: read, replace,
    /// change and delete one row. Under `/<id>/history`, if the table records changes: list the changes of a row.
    /// - Parameters:
    ///   - name: a singular noun for a row, used in messages: `campaign`.
    ///   - plural: the plural of the name, which also names the blueprint; by default the name with an `s`.
    ///   - service: the service that executes the operations.
    public init<Service: ResourceService>(resource name: String, plural: String? = nil, _ service: Service) {
        self.init(plural ?? name + "s")
        let resource = Resource(name, service)
        let operations = ResourceOperations(name: name, plural: self.name, fields: resource.fields)
        get("/", operations.list, reads: .replicaPreferred, access: .role(.reader)) { try await resource.list($0) }
        post("/", operations.create, access: .role(.editor)) { try await resource.create($0) }
        patch("/", operations.changeAll, access: .role(.editor)) { try await resource.changeAll($0) }
        delete("/", operations.deleteAll, access: .role(.admin)) { try await resource.deleteAll($0) }
        get("/<id>", operations.read, reads: .replicaPreferred, access: .role(.reader)) { try await resource.read($0) }
        put("/<id>", operations.replace, access: .role(.editor)) { try await resource.replace($0) }
        patch("/<id>", operations.change, access: .role(.editor)) { try await resource.change($0) }
        delete("/<id>", operations.delete, access: .role(.editor)) { try await resource.delete($0) }
        guard Service.Row.definition.recordsChanges else { return }
        get("/<id>/history", operations.history, reads: .replicaPreferred, access: .role(.reader)) {
            try await resource.history($0)
        }
    }
}

/// The handlers of a resource's routes: each decodes the request, calls one function of the service, and encodes the
/// response.
struct Resource<Service: ResourceService>: Sendable {
    typealias Row = Service.Row

    let name: String
    let service: Service
    let fields: Fields<Row>
    /// The query of a list without query parameters, parsed in advance.
    let unfilteredList: ListQuery<Row>
    let rowSize = RowSizeEstimate()
    /// The offset of the row version in the model's memory layout, in bytes; `nil` when the model has no version
    /// column.
    private let version: Int?
    private let readID: @Sendable (String) throws(HTTPError) -> Row.ID

    init(_ name: String, _ service: Service) {
        (self.name, self.service, fields) = (name, service, Fields<Row>())
        guard let unfilteredList = try? ListQuery(Query(""), of: fields, isStrict: false),
            let key = Row.ID.self as? any FieldValue.Type
        else { fatalError("the type of the primary key of \(name) is not a FieldValue: add a conformance") }
        self.unfilteredList = unfilteredList
        version = Row.table.version.flatMap { MemoryLayout<Row>.offset(of: $0.path) }
        readID = Resource.reader(of: key, name)
    }

    // MARK: Single rows

    @inline(__always)
    func read(_ request: Request) async throws -> Response {
        _ = try request.negotiate([.json])
        let row: Row
        do { row = try await service.find(id(request)) } catch let error as ResourceError {
            throw error.httpError(of: name)
        }
        if let condition = try request.ifNoneMatch(), let tag = tag(of: row), condition.contains(tag) {
            return Response(.notModified, headers: [.eTag: tag.value])
        }
        return response(row, .ok)
    }

    func replace(_ request: Request) async throws -> Response {
        let (id, condition) = (try id(request), try version(request))
        let values = try fields.values(request.json(), for: .replace, of: name)
        return changed(try await withHTTPErrors { try await service.replace(id, with: values, if: condition) }, request)
    }

    func change(_ request: Request) async throws -> Response {
        let (id, condition) = (try id(request), try version(request))
        let values = try fields.values(request.json(), for: .patch, of: name)
        return changed(try await withHTTPErrors { try await service.change(id, values, if: condition) }, request)
    }

    func delete(_ request: Request) async throws -> Response {
        let (id, condition) = (try id(request), try version(request))
        try await withHTTPErrors { try await service.delete(id, if: condition) }
        return Response(.noContent)
    }

    private func changed(_ row: Row, _ request: Request) -> Response {
        guard request.preferences.isMinimal else { return response(row, .ok) }
        var response = Response(.noContent, headers: [.preferenceApplied: "return=minimal"])
        if let tag = tag(of: row) { response.headers[.eTag] = tag.value }
        return response
    }

    // MARK: Several rows

    func create(_ request: Request) async throws -> Response {
        _ = try request.negotiate([.json])
        let json = try request.json()
        let key = try request.idempotencyKey()
        if case .array(let elements) = json {
            let values = try fields.values(elements, of: name)
            let rows: [Row]
            do { rows = try await withHTTPErrors { try await service.create(values, once: key) } } catch let error
                as ConstraintViolation
            {
                throw error.httpError(index: error.index)
            }
            return request.preferences.isMinimal ? minimal() : self.response(rows, .created)
        }
        let values = try fields.values(json, for: .create, of: name)
        guard let row = try await withHTTPErrors({ try await service.create([values], once: key) }).first else {
            throw ResourceError.keyUsedForAnother
        }
        var response = request.preferences.isMinimal ? minimal(row) : self.response(row, .created)
        response.headers[.location] = request.url(request.route + Service.path(of: row))
        return response
    }

    private func minimal(_ row: Row? = nil) -> Response {
        var response = Response(.created, headers: [.preferenceApplied: "return=minimal"])
        if let tag = row.flatMap(tag) { response.headers[.eTag] = tag.value }
        return response
    }

    func changeAll(_ request: Request) async throws -> Response {
        let select = try filtered(request)
        let values = try fields.values(request.json(), for: .patch, of: name)
        return affected(try await withHTTPErrors { try await service.change(all: select, values) }, request)
    }

    func deleteAll(_ request: Request) async throws -> Response {
        let select = try filtered(request)
        return affected(try await withHTTPErrors { try await service.delete(all: select) }, request)
    }

    private func affected(_ count: Int, _ request: Request) -> Response {
        guard !request.preferences.isMinimal else {
            return Response(.noContent, headers: [.preferenceApplied: "return=minimal"])
        }
        return .json { json in
            json.beginObject()
            json.member("affected", count)
            json.endObject()
        }
    }

    /// Returns the query for the rows that a bulk change applies to. Parameters that only lists support are rejected,
    /// since they would have no effect.
    private func filtered(_ request: Request) throws -> Select<Row> {
        guard try request.ifMatch() == nil, try request.ifNoneMatch() == nil else {
            throw HTTPError(.badRequest, "If-Match and If-None-Match apply only to a change of one \(name).")
        }
        let query = request.query
        let others = query.parameters.filter { ListQuery<Row>.pageParameterNames.contains($0.fullName) }
        guard others.isEmpty else {
            throw HTTPError(
                .unprocessableContent, "A bulk change accepts only filters.",
                fields: others.map { HTTPError.Field($0.fullName, "\($0.fullName) does not apply here.") })
        }
        // Always strict: if a misspelled filter were ignored, too many rows would change.
        let list = try ListQuery(query, of: fields, isStrict: true)
        guard list.select.isFiltered else {
            throw HTTPError(
                .unprocessableContent, "A bulk change needs a filter, such as ?id[in]=1,2,3.")
        }
        return list.select
    }

    // MARK: Shared

    func id(_ request: Request) throws(HTTPError) -> Row.ID { try readID(request.parameter("id")) }

    /// Returns a function that parses the ID in the path. An integer ID must consist of digits alone.
    private static func reader<Key: FieldValue>(
        of _: Key.Type, _ name: String
    ) -> @Sendable (String) throws(HTTPError) -> Row.ID {
        let isInteger = Key.self is any FixedWidthInteger.Type
        return { text throws(HTTPError) in
            if isInteger, text.isEmpty || !text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
                throw HTTPError(.unprocessableContent, "id must be an integer")
            }
            do throws(FieldProblem) {
                if let id = try Key(parameter: text) as? Row.ID { return id }
            } catch {
                // An integer out of range is a valid ID of a row that does not exist.
                if !isInteger { throw HTTPError(.unprocessableContent, "id \(error.message)") }
            }
            throw ResourceError.notFound.httpError(of: name)
        }
    }

    /// Converts the conditions in `If-Match` and `If-None-Match` to a condition on the row's version.
    /// - Throws: 400 when a condition is malformed, or the model has no version column.
    private func version(_ request: Request) throws -> VersionCondition {
        let (match, noneMatch) = (try request.ifMatch(), try request.ifNoneMatch())
        guard version != nil || match == nil && noneMatch == nil else {
            throw HTTPError(.badRequest, "If-Match and If-None-Match do not apply: this resource has no ETag.")
        }
        let refused = versions(noneMatch)
        switch (match, noneMatch) {
        case (_, .any): return .never
        case (.tags, _): return .oneOf(versions(match).filter { !refused.contains($0) })
        case (_, .tags): return .noneOf(refused)
        case (.any, nil), (nil, nil): return .any
        }
    }

    /// Returns the versions in a list of entity tags. A tag that `tag(of:)` would write differently is ignored: `"01"`
    /// is not version 1.
    private func versions(_ condition: TagCondition?) -> [Int64] {
        guard case .tags(let tags) = condition else { return [] }
        return tags.compactMap { tag in Int64(tag.opaque).flatMap { String($0) == tag.opaque ? $0 : nil } }
    }

    private func tag(of row: Row) -> EntityTag? { version(of: row).map { EntityTag(String($0)) } }

    private func version(of row: Row) -> Int64? {
        // Sound: this is the offset of a stored property of type Int64.
        version.map { offset in withUnsafeBytes(of: row) { $0.load(fromByteOffset: offset, as: Int64.self) } }
    }

    private func response(_ row: Row, _ status: HTTPResponse.Status) -> Response {
        var response = Response.json(status) { fields.writer.write(row, to: &$0) }
        if let version = version(of: row) { response.headers.append(.eTag, quoted: version) }
        return response
    }

    private func response(_ rows: [Row], _ status: HTTPResponse.Status) -> Response {
        .json(status) { json in
            json.beginArray()
            for row in rows { fields.writer.write(row, to: &json) }
            json.endArray()
        }
    }

    /// Runs `body`, and converts a `ResourceError` to an error response that mentions the name of the resource.
    func withHTTPErrors<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as ResourceError { throw error.httpError(of: name) }
    }
}

extension ResourceService {
    /// Returns the last segment of a row's path: the percent-encoded primary key.
    fileprivate static func path(of row: Row) -> String {
        let key = row[keyPath: Row.primaryKey.path]
        return ((key as? any FieldValue)?.text ?? "\(key)").utf8.percentEncoded { $0.isUnreserved }
    }
}

extension Request {
    /// Returns the idempotency key of the request; `nil` when the client sends none.
    /// - Throws: 400 when the key is malformed.
    fileprivate func idempotencyKey() throws(HTTPError) -> IdempotencyKey? {
        let values = headers.values(of: .idempotencyKey)
        guard let value = values.first else { return nil }
        guard values.count == 1, (1...255).contains(value.utf8.count),
            value.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else {
            throw HTTPError(.badRequest, "Send at most one Idempotency-Key, of 1 to 255 visible ASCII characters.")
        }
        // The keys of different clients are independent.
        let scope = principal.map { route + " " + $0.name } ?? route
        return IdempotencyKey(scope: scope, key: value, request: body)
    }
}
