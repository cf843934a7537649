import ORM
import SQL
import Web

/// What is kept of an API key: all but the key, of which there is a hash.
public struct APIKeyRecord: Model, Hashable {
    public var id: Int64
    /// What people call it, and who records of changes say it was: no two keys ever have the same name.
    public var name: String
    public var role: Role
    /// SHA-256.
    public var hash: Bytes
    /// Who made it.
    public var createdBy: String
    public var createdOn: Timestamp
    /// When it ends; `nil`: never.
    public var expiresOn: Timestamp?
    /// When it was last used, to the minute; `nil`: never.
    public var lastUsedOn: Timestamp?
    /// When it was revoked; `nil`: it was not.
    public var revokedOn: Timestamp?

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
