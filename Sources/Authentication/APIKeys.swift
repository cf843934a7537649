import ORM
import SQL
import Web

/// The API keys of a database.
public struct APIKeys: Sendable {
    private let database: Database
    /// The time in UTC, whatever the session's time zone is: a variable, or whoever is in front of Postgres, may set another.
    private static let now = "(now() AT TIME ZONE 'UTC')"

    /// Those that a database keeps.
    public init(_ database: Database) { self.database = database }

    /// Makes a key; it is known to the caller alone from then on.
    /// - Parameters:
    ///   - name: 1 to 100 characters, which no other key has or had.
    ///   - lifetime: in seconds; `nil`: it does not expire.
    ///   - author: who makes it.
    /// - Throws: `APIKeyError.nameTaken`, `DatabaseError`.
    public func create(name: String, role: Role, lifetime: Int64?, author: String) async throws -> APIKey {
        let key = APIKey()
        let columns = APIKeyRecord.columns
        do {
            try await database.execute(
                """
                INSERT INTO \(APIKeyRecord.definition) (\(columns.name), \(columns.role), \(columns.hash), \
                \(columns.createdBy), \(columns.createdOn), \(columns.expiresOn)) \
                VALUES (\(name), \(role), sha256(\(key.bytes)), \(author), \(unsafe: APIKeys.now), \
                \(unsafe: APIKeys.now) + \(value: lifetime) * interval '1 second')
                """)
        } catch let error as DatabaseError where error.constraint == "api_key_name_key" {
            throw APIKeyError.nameTaken(name)
        }
        return key
    }

    /// All keys, revoked ones too, in the order in which they were made.
    /// - Throws: `DatabaseError`.
    public func all() async throws -> [APIKeyRecord] {
        try await database.all(APIKeyRecord.all.ordered { [$0.id.ascending] })
    }

    /// Revokes a key: no worker takes it a second later.
    /// - Throws: `APIKeyError.unknown`, `DatabaseError`.
    public func revoke(name: String) async throws {
        let columns = APIKeyRecord.columns
        let result = try await database.execute(
            """
            UPDATE \(APIKeyRecord.definition) SET \(columns.revokedOn) = COALESCE(\(columns.revokedOn), \(unsafe: APIKeys.now)) \
            WHERE \(columns.name) = \(name)
            """)
        guard result.affected > 0 else { throw APIKeyError.unknown(name) }
    }

    /// Finds what is kept of a key, whatever its state; `nil` when there is no such key.
    /// - Throws: `DatabaseError`.
    public func find(_ key: APIKey) async throws -> KnownKey? {
        let columns = APIKeyRecord.columns
        // The primary has it before all others; while there is no primary, nobody can revoke a key.
        let session = CausalSession(reads: .primaryPreferred)
        let result = try await CausalSession.$current.withValue(session) {
            try await database.read(
                """
                SELECT \(columns.id), \(columns.name), \(columns.role), \(columns.revokedOn) IS NOT NULL, \
                COALESCE(\(columns.expiresOn) <= \(unsafe: APIKeys.now), false), \
                COALESCE(\(columns.lastUsedOn) <= \(unsafe: APIKeys.now) - interval '1 minute', true) \
                FROM \(APIKeyRecord.definition) WHERE \(columns.hash) = sha256(\(key.bytes))
                """)
        }
        guard result.count > 0 else { return nil }
        var row = result.row(0)
        let id = try row.next(Int64.self)
        let (name, role) = (try row.next(String.self), try row.next(Role.self))
        let (isRevoked, isExpired) = (try row.next(Bool.self), try row.next(Bool.self))
        return KnownKey(
            id: id, principal: Principal(name: "key:\(name)", role: role),
            state: isRevoked ? .revoked : isExpired ? .expired : .valid, isUseDue: try row.next(Bool.self))
    }

    /// Records the use of a key, once a minute at most.
    /// - Throws: `DatabaseError`.
    public func noteUse(of id: Int64) async throws {
        let columns = APIKeyRecord.columns
        try await database.execute(
            """
            UPDATE \(APIKeyRecord.definition) SET \(columns.lastUsedOn) = \(unsafe: APIKeys.now) WHERE \(columns.id) = \(id) \
            AND COALESCE(\(columns.lastUsedOn) <= \(unsafe: APIKeys.now) - interval '1 minute', true)
            """)
    }
}

extension APIKey {
    fileprivate var bytes: Bytes { Bytes(Array(text.utf8)) }
}

/// What is known of a key that a client has sent.
public struct KnownKey: Sendable {
    /// Whether it may be used.
    public enum State: Sendable { case valid, expired, revoked }

    /// The record's primary key.
    public let id: Int64
    public let principal: Principal
    public let state: State
    /// Whether its last use was recorded more than a minute ago.
    public let isUseDue: Bool
}

/// Why something cannot be done with a key.
public enum APIKeyError: Error, CustomStringConvertible {
    case nameTaken(String)
    case unknown(String)

    public var description: String {
        switch self {
        case .nameTaken(let name): "There is, or was, a key named \(name): choose another name."
        case .unknown(let name): "There is no key named \(name): aktify key list shows all of them."
        }
    }
}
