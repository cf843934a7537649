import HTTPTypes
import ORM
import SQL
import Web

extension Blueprint {
    /// A blueprint with all the routes of a resource: list, create, change and delete many under `/`; read, replace, change and delete one
    /// under `/<id>`; and what has changed of it, where the table records that, under `/<id>/history`. More can be added.
    /// - Parameters:
    ///   - name: what one of them is called, in sentences: `campaign`.
    ///   - plural: what many are called, where routes are listed; an `s` behind the name when it is left out.
    ///   - service: what is done.
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

/// What the routes of a resource do: decode, call one function of the service, encode.
struct Resource<Service: ResourceService>: Sendable {
    typealias Row = Service.Row

    let name: String
    let service: Service
    let fields: Fields<Row>
    /// The list without any parameter.
    let everything: ListQuery<Row>
    let width = RowWidth()
    /// Where a row has its version, in bytes from its beginning; `nil` when it has none.
    private let version: Int?
    private let readID: @Sendable (String) throws(HTTPError) -> Row.ID

    init(_ name: String, _ service: Service) {
        (self.name, self.service, fields) = (name, service, Fields<Row>())
        guard let everything = try? ListQuery(Query(""), of: fields, isStrict: false),
            let key = Row.ID.self as? any FieldValue.Type
        else { preconditionFailure("the key of \(name) has a type that clients cannot send: make it a FieldValue") }
        self.everything = everything
        version = Row.table.version.flatMap { MemoryLayout<Row>.offset(of: $0.path) }
        readID = Resource.reader(of: key, name)
    }

    // MARK: One

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
        return changed(try await told { try await service.replace(id, with: values, if: condition) }, request)
    }

    func change(_ request: Request) async throws -> Response {
        let (id, condition) = (try id(request), try version(request))
        let values = try fields.values(request.json(), for: .patch, of: name)
        return changed(try await told { try await service.change(id, values, if: condition) }, request)
    }

    func delete(_ request: Request) async throws -> Response {
        let (id, condition) = (try id(request), try version(request))
        try await told { try await service.delete(id, if: condition) }
        return Response(.noContent)
    }

    private func changed(_ row: Row, _ request: Request) -> Response {
        guard request.preferences.isMinimal else { return response(row, .ok) }
        var response = Response(.noContent, headers: [.preferenceApplied: "return=minimal"])
        if let tag = tag(of: row) { response.headers[.eTag] = tag.value }
        return response
    }

    // MARK: Many

    func create(_ request: Request) async throws -> Response {
        _ = try request.negotiate([.json])
        let json = try request.json()
        let key = try request.idempotencyKey()
        if case .array(let elements) = json {
            let values = try fields.values(elements, of: name)
            let rows: [Row]
            do { rows = try await told { try await service.create(values, once: key) } } catch let error
                as ConstraintViolation
            {
                throw error.httpError(index: error.index)
            }
            return request.preferences.isMinimal ? minimal() : self.response(rows, .created)
        }
        let values = try fields.values(json, for: .create, of: name)
        guard let row = try await told({ try await service.create([values], once: key) }).first else {
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
        return affected(try await told { try await service.change(all: select, values) }, request)
    }

    func deleteAll(_ request: Request) async throws -> Response {
        let select = try filtered(request)
        return affected(try await told { try await service.delete(all: select) }, request)
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

    /// The rows that a change of many is for. What only a list knows is not taken: it would be passed over.
    private func filtered(_ request: Request) throws -> Select<Row> {
        guard try request.ifMatch() == nil, try request.ifNoneMatch() == nil else {
            throw HTTPError(.badRequest, "If-Match and If-None-Match are for a change of one \(name).")
        }
        let query = request.query
        let others = query.parameters.filter { ListQuery<Row>.parametersOfPages.contains($0.wholeName) }
        guard others.isEmpty else {
            throw HTTPError(
                .unprocessableContent, "A change of many takes filters only.",
                fields: others.map { HTTPError.Field($0.wholeName, "\($0.wholeName) does not apply here.") })
        }
        // Strict always: a filter with a typing error would change what nobody meant.
        let list = try ListQuery(query, of: fields, isStrict: true)
        guard list.select.isFiltered else {
            throw HTTPError(
                .unprocessableContent, "Say which: a change of many needs a filter, such as ?id[in]=1,2,3.")
        }
        return list.select
    }

    // MARK: What they share

    func id(_ request: Request) throws(HTTPError) -> Row.ID { try readID(request.parameter("id")) }

    /// Reads the id in the path: digits alone, where it is an integer.
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
                // A number that is larger than every id's is no mistake: there is no such row.
                if !isInteger { throw HTTPError(.unprocessableContent, "id \(error.message)") }
            }
            throw ResourceError.notFound.httpError(of: name)
        }
    }

    /// What the version of the row must be, by the request's conditions.
    private func version(_ request: Request) throws -> VersionCondition {
        guard version != nil else { return .any }
        let (match, noneMatch) = (try request.ifMatch(), try request.ifNoneMatch())
        let refused = versions(noneMatch)
        switch (match, noneMatch) {
        case (_, .any): return .never
        case (.tags, _): return .oneOf(versions(match).filter { !refused.contains($0) })
        case (_, .tags): return .noneOf(refused)
        case (.any, nil), (nil, nil): return .any
        }
    }

    /// The versions that tags name: a tag is a number as `tag(of:)` writes it, and no other text for it.
    private func versions(_ condition: TagCondition?) -> [Int64] {
        guard case .tags(let tags) = condition else { return [] }
        return tags.compactMap { tag in Int64(tag.opaque).flatMap { String($0) == tag.opaque ? $0 : nil } }
    }

    private func tag(of row: Row) -> EntityTag? { version(of: row).map { EntityTag(String($0)) } }

    private func version(of row: Row) -> Int64? {
        // Sound: it is the offset of a stored property of this type.
        version.map { offset in withUnsafeBytes(of: row) { $0.load(fromByteOffset: offset, as: Int64.self) } }
    }

    private func response(_ row: Row, _ status: HTTPResponse.Status) -> Response {
        var response = Response.json(status) { fields.all.write(row, to: &$0) }
        if let version = version(of: row) { response.headers.append(.eTag, quoted: version) }
        return response
    }

    private func response(_ rows: [Row], _ status: HTTPResponse.Status) -> Response {
        .json(status) { json in
            json.beginArray()
            for row in rows { fields.all.write(row, to: &json) }
            json.endArray()
        }
    }

    /// Runs `body`, and names the resource in what goes wrong.
    func told<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as ResourceError { throw error.httpError(of: name) }
    }
}

extension ResourceService {
    /// What follows the slash in a row's path.
    fileprivate static func path(of row: Row) -> String {
        let key = row[keyPath: Row.primaryKey.path]
        return ((key as? any FieldValue)?.text ?? "\(key)").percentEncoded
    }
}

extension String {
    /// This text as one segment of a path (RFC 3986, section 3.3): all bytes but those that need it nowhere are percent-encoded.
    fileprivate var percentEncoded: String {
        var encoded: [UInt8] = []
        for byte in utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: encoded.append(byte)
            default:
                encoded.append(UInt8(ascii: "%"))
                for digit in [byte >> 4, byte & 15] { encoded.append(digit + (digit < 10 ? 0x30 : 0x37)) }
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}

extension Request {
    /// The key under which the request is carried out once; `nil` when the client gives none.
    /// - Throws: 400 when it is malformed.
    fileprivate func idempotencyKey() throws(HTTPError) -> IdempotencyKey? {
        let values = headers.values(of: .idempotencyKey)
        guard let value = values.first else { return nil }
        guard values.count == 1, (1...255).contains(value.utf8.count),
            value.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else {
            throw HTTPError(.badRequest, "There may be one Idempotency-Key, of 1 to 255 visible ASCII characters.")
        }
        // One client's keys are none of another's.
        let scope = principal.map { route + " " + $0.name } ?? route
        return IdempotencyKey(scope: scope, key: value, request: body)
    }
}
