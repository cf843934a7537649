import ORM
import SQL
import Web

/// Creates, finds and revokes the API keys in a database.
public struct APIKeys: Sendable {
    private let database: Database
    /// The SQL expression for the current time in UTC, which does not depend on the session's time zone: `PGTZ` or a
    /// connection pooler may have set another.
    private static let now = "(now() AT TIME ZONE 'UTC')"

    /// Creates an instance for the API keys in a database.
    public init(_ database: Database) { self.database = database }

    /// Creates a key. Only the hash of the key is stored, so that the returned key cannot be retrieved again.
    /// - Parameters:
    ///   - name: the name of the key: 1 to 100 characters, never used by another key before.
    ///   - role: the role of clients that authenticate with the key.
    ///   - lifetime: the lifetime of the key, in seconds; `nil` when the key never expires.
    ///   - author: the name of the user who creates the key.
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

    /// Returns all keys in the order of their creation, including expired and revoked keys.
    /// - Throws: `DatabaseError`.
    public func all() async throws -> [APIKeyRecord] {
        try await database.all(APIKeyRecord.all.ordered { [$0.id.ascending] })
    }

    /// Revokes a key. Every worker rejects the key within one second, provided that the worker looks up the key on the
    /// primary, not on a replica, which may lag behind.
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

    /// Finds a key, even if the key has expired or was revoked; returns `nil` when there is no such key.
    /// - Throws: `DatabaseError`.
    public func find(_ key: APIKey) async throws -> KnownKey? {
        let columns = APIKeyRecord.columns
        // Replicas may lag behind the primary, and then return a revoked key as valid. A replica is used only when the
        // primary is unreachable.
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
            state: isRevoked ? .revoked : isExpired ? .expired : .valid, shouldRecordUse: try row.next(Bool.self))
    }

    /// Records that the key with this primary key is used now. Uses are recorded at most once a minute.
    /// - Throws: `DatabaseError`.
    public func recordUse(of id: Int64) async throws {
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

/// The result of looking up an API key.
public struct KnownKey: Sendable {
    /// The state of a key. Only a valid key may be used.
    public enum State: Sendable {
        /// The key may be used.
        case valid
        /// The key has expired.
        case expired
        /// The key was revoked.
        case revoked
    }

    /// The primary key of the record.
    public let id: Int64
    /// The principal that the key authenticates.
    public let principal: Principal
    /// The state of the key.
    public let state: State
    /// Whether a use of the key should be recorded now, because the last recorded use is older than a minute, or there
    /// is none.
    public let shouldRecordUse: Bool
}

/// An error in the administration of keys.
public enum APIKeyError: Error, CustomStringConvertible {
    /// Another key has the name, or had it before.
    case nameTaken(String)
    /// No key has the name.
    case unknown(String)

    public var description: String {
        switch self {
        case .nameTaken(let name): "The name \(name) is, or was, used by another key: choose another name."
        case .unknown(let name): "There is no key named \(name): aktify key list shows all keys."
        }
    }
}
