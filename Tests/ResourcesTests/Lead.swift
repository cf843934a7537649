import HTTPTypes
import ORM
import Resources
import Synchronization
import Web

/// A model that leads refer to.
struct Party: Model, Hashable {
    var id: Int64
    var name: String

    struct Columns: Sendable {
        let id = Column(\Party.id, "id", .primaryKey, .filterable, default: .serial)
        let name = Column(\Party.name, "name", .length(1...50), .trimmed)
    }

    static let columns = Columns()
    static let primaryKey = columns.id
    static let table = Table("party", columns.id, columns.name, make: Party.init)
}

enum Stage: String, Enumeration, FieldValue {
    case new, won, lost
}

/// A model with a field of every type.
struct Lead: Model, Hashable {
    var id: Int64
    var email: String
    var name: String
    var note: String?
    var score: Int32
    var rank: Int16?
    var weight: Double
    var isOpen: Bool
    var dueOn: Timestamp
    var token: UUID?
    var stage: Stage
    var partyID: Int64?
    var secret: String
    var createdOn: Timestamp
    var updatedOn: Timestamp
    var version: Int64

    struct Columns: Sendable {
        let id = Column(\Lead.id, "id", .primaryKey, .filterable, default: .serial)
        let email = Column(
            \Lead.email, "email", .pattern("[^@ ]+@[^@ ]+"), .length(3...40), .trimmed, .unique, .filterable, .sortable)
        let name = Column(\Lead.name, "name", .length(0...60), .searchable, .filterable, .sortable, default: .value(""))
        let note = Column(\Lead.note, "note", .length(1...100), .searchable, .filterable)
        let score = Column(\Lead.score, "score", .range(0...100), .filterable, .sortable, default: .value(0))
        let rank = Column(\Lead.rank, "rank", .range(1...9), .filterable)
        let weight = Column(\Lead.weight, "weight", .range(-1000...1000), .filterable, .sortable)
        let isOpen = Column(\Lead.isOpen, "is_open", .filterable, default: .value(true))
        let dueOn = Column(\Lead.dueOn, "due_on", .filterable, .sortable, default: .now)
        let token = Column(\Lead.token, "token", .filterable)
        let stage = Column(\Lead.stage, "stage", .filterable, default: .value(.new))
        let partyID = Column(\Lead.partyID, "party_id", .filterable, references: Party.self)
        let secret = Column(
            \Lead.secret, "secret", .hidden, .searchable, .filterable, .sortable, default: .value("hush"))
        let createdOn = Column(\Lead.createdOn, "created_on", .readOnly, .filterable, .sortable, default: .now)
        let updatedOn = Column(\Lead.updatedOn, "updated_on", default: .now, onUpdate: .now)
        let version = Column(\Lead.version, "version", .version)
    }

    static let columns = Columns()
    static let primaryKey = columns.id
    static let table = Table(
        "lead", columns.id, columns.email, columns.name, columns.note, columns.score, columns.rank, columns.weight,
        columns.isOpen, columns.dueOn, columns.token, columns.stage, columns.partyID, columns.secret,
        columns.createdOn, columns.updatedOn, columns.version, make: Lead.init)
}

struct LeadService: ResourceService {
    let rows: any Repository<Lead>
}

struct PartyService: ResourceService {
    let rows: any Repository<Party>
}

/// A service with business rules: a lead that was won cannot be deleted, and a lost one cannot be changed.
struct StrictLeadService: ResourceService {
    let rows: any Repository<Lead>
    var changeable: Requirement<Lead>? { Requirement(Lead.columns.stage != .lost, else: LeadRule.lost) }
    var deletable: Requirement<Lead>? { Requirement(Lead.columns.stage != .won, else: LeadRule.won) }

    /// Sets the score to 30 if the values contain a note, and the score is missing or lower than 30.
    func prepare(_ values: inout ColumnValues<Lead>) throws {
        guard let note = values.value(of: Lead.columns.note), note != nil else { return }
        values.set(Lead.columns.score, to: max(30, values.value(of: Lead.columns.score) ?? 0))
    }
}

enum LeadRule: Error, HTTPErrorConvertible {
    case won, lost

    var httpError: HTTPError {
        HTTPError(.conflict, self == .won ? "A lead that was won stays." : "A lead that is lost stays as it is.")
    }
}

/// An application with leads and parties in memory.
struct Leads {
    let repositories: Repositories
    let client: TestClient
    let app: Application

    init() throws {
        repositories = .inMemory()
        var app = Application()
        try app.mount(Blueprint(resource: "lead", LeadService(rows: repositories.of())), at: "/leads")
        try app.mount(
            Blueprint(resource: "party", plural: "parties", PartyService(rows: repositories.of())), at: "/parties")
        try app.mount(Blueprint(resource: "lead", StrictLeadService(rows: repositories.of())), at: "/strict")
        self.app = app
        client = TestClient(app)
    }

    func send(
        _ method: HTTPRequest.Method, _ target: String, _ body: String = "", _ headers: HeaderFields = [:]
    ) async throws -> TestClient.CollectedResponse {
        var headers = headers
        if !body.isEmpty, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        return try await client.send(method, target, headers: headers, body: Array(body.utf8))
    }

    func get(_ target: String, _ headers: HeaderFields = [:]) async throws -> TestClient.CollectedResponse {
        try await send(.get, target, "", headers)
    }

    /// Creates a lead. `others` are further fields, as JSON members.
    @discardableResult func add(_ email: String, _ others: String = "") async throws -> TestClient.CollectedResponse {
        let more = others.isEmpty ? "" : "," + others
        return try await send(.post, "/leads/", #"{"email":"\#(email)","weight":1\#(more)}"#)
    }

    /// Creates `count` leads, some of which have equal values in their sortable fields.
    func fill(_ count: Int) async throws {
        let elements = (1...count).map { number in
            let (score, weight, day) = (number * 7 % 4, number * 5 % 3, number % 3 + 1)
            return #"{"email":"l\#(number * 37 % 1009)@x","name":"n\#(number % 4)","score":\#(score),"#
                + #""weight":\#(weight).5,"due_on":"2026-11-0\#(day)"}"#
        }
        _ = try await send(.post, "/leads/", "[\(elements.joined(separator: ","))]")
    }
}

extension TestClient.CollectedResponse {
    /// A member of the object in the body.
    subscript(_ name: String) -> JSON? { if case .object(let members) = json { members[name] } else { nil } }

    /// A member of each element of the array in the body.
    func all(_ name: String) -> [JSON?] {
        guard case .array(let elements) = json else { return [] }
        return elements.map { if case .object(let members) = $0 { members[name] } else { nil } }
    }

    /// The IDs of the elements of the array in the body.
    var ids: [Int] {
        all("id").map { if case .number(let text) = $0 { Int(text) ?? -1 } else { -1 } }
    }

    /// The names of the fields in `errors`. For a request body that is an array, the index of the element precedes the
    /// name: `2.email`.
    var wrongFields: [String] {
        guard case .array(let errors) = self["errors"] else { return [] }
        return errors.map { error in
            guard case .object(let members) = error, case .string(let field) = members["field"] else { return "" }
            if case .number(let index) = members["index"] { return "\(index).\(field)" }
            return field
        }
    }

    /// The target of the link to the next page; `nil` when there is none.
    var next: String? {
        guard let link = headers[.link], link.hasPrefix("<http://localhost:5051"), link.hasSuffix(">; rel=\"next\"")
        else { return nil }
        return String(link.dropFirst("<http://localhost:5051".count).dropLast(">; rel=\"next\"".count))
    }
}

extension Leads {
    /// Creates a lead, and returns its row.
    func row() async throws -> Lead? {
        try await add("row@b")
        return try await repositories.of(Lead.self).all(Lead.all).first
    }
}

/// A repository whose deletions have the given outcomes, one after the other, as if other clients changed the row.
final class ScriptedLeads: Repository {
    private let base = InMemoryRepository<Lead>()
    private let outcomes: Mutex<[Guarded<Lead>]>

    init(outcomes: [Guarded<Lead>]) { self.outcomes = Mutex(outcomes) }

    func delete(_: Int64, if _: Condition<Lead>?, _: StaticString, _: UInt) async throws -> Guarded<Lead> {
        outcomes.withLock { $0.removeFirst() }
    }

    func all(_ select: Select<Lead>, _ file: StaticString, _ line: UInt) async -> [Lead] {
        await base.all(select, file, line)
    }

    func stream(
        _ select: Select<Lead>, _ file: StaticString, _ line: UInt, _ body: ([Lead]) async throws -> Void
    ) async throws { try await base.stream(select, file, line, body) }

    func count(_ select: Select<Lead>, _ file: StaticString, _ line: UInt) async -> Int {
        await base.count(select, file, line)
    }

    func history(
        of id: Int64, before position: Int64, limit: Int, _ file: StaticString, _ line: UInt
    ) async -> [ChangeRecord<Lead>] {
        await base.history(of: id, before: position, limit: limit, file, line)
    }

    func find(_ id: Int64, _ file: StaticString, _ line: UInt) async -> Lead? { await base.find(id, file, line) }

    func insert(many values: [ColumnValues<Lead>], _ file: StaticString, _ line: UInt) async throws -> [Lead] {
        try await base.insert(many: values, file, line)
    }

    func insert(
        many values: [ColumnValues<Lead>], once key: IdempotencyKey, _ file: StaticString, _ line: UInt
    ) async throws -> InsertedOnce<Lead> { try await base.insert(many: values, once: key, file, line) }

    func update(
        _ id: Int64, _ values: ColumnValues<Lead>, if requirement: Condition<Lead>?, _ file: StaticString, _ line: UInt
    ) async throws -> Guarded<Lead> { try await base.update(id, values, if: requirement, file, line) }

    func update(
        all select: Select<Lead>, _ values: ColumnValues<Lead>, _ file: StaticString, _ line: UInt
    ) async throws -> Int { try await base.update(all: select, values, file, line) }

    func delete(all select: Select<Lead>, _ file: StaticString, _ line: UInt) async throws -> Int {
        try await base.delete(all: select, file, line)
    }
}
