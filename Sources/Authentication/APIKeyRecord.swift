import ORM
import SQL
import Web

/// The record of an API key, which contains a hash of the key, but not the key itself.
public struct APIKeyRecord: Model, Hashable {
    /// The primary key.
    public var id: Int64
    /// The name of the key, which identifies the client in change records too. Names are never reused.
    public var name: String
    /// The role of clients that authenticate with the key.
    public var role: Role
    /// The SHA-256 hash of the key.
    public var hash: Bytes
    /// The name of the user who created the key.
    public var createdBy: String
    /// When the key was created.
    public var createdOn: Timestamp
    /// When the key expires; `nil` when the key never expires.
    public var expiresOn: Timestamp?
    /// When the key was last used, with a precision of one minute; `nil` when the key has never been used.
    public var lastUsedOn: Timestamp?
    /// When the key was revoked; `nil` when the key has not been revoked.
    public var revokedOn: Timestamp?

    /// The columns of the table.
    public struct Columns: Sendable {
        let id = Column(\APIKeyRecord.id, "id", .primaryKey, default: .serial)
        let name = Column(\APIKeyRecord.name, "name", .length(1...100), .unique)
        let role = Column(\APIKeyRecord.role, "role")
        let hash = Column(\APIKeyRecord.hash, "hash", .unique)
        let createdBy = Column(\APIKeyRecord.createdBy, "created_by")
        let createdOn = Column(\APIKeyRecord.createdOn, "created_on", default: .now)
        let expiresOn = Column(\APIKeyRecord.expiresOn, "expires_on")
        let lastUsedOn = Column(\APIKeyRecord.lastUsedOn, "last_used_on")
        let revokedOn = Column(\APIKeyRecord.revokedOn, "revoked_on")
    }

    public static let columns = Columns()
    public static let primaryKey = columns.id
    public static let table = Table(
        "api_key", columns.id, columns.name, columns.role, columns.hash, columns.createdBy, columns.createdOn,
        columns.expiresOn, columns.lastUsedOn, columns.revokedOn, make: APIKeyRecord.init)
}

extension Role: Enumeration {}
