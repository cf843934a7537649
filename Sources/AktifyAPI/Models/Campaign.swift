import ORM
import SQL

/// A marketing campaign.
struct Campaign: Model, Hashable {
    var id: Int64
    var name: String
    var description: String
    var isActive: Bool
    var createdOn: Timestamp
    var updatedOn: Timestamp

    /// What a client may say of a campaign; the rest is the database's to fill in.
    struct Draft: Hashable {
        var name: String
        var description = ""
        var isActive = true
    }
}

extension Campaign {
    static let columns: ColumnList = ["id", "name", "description", "is_active", "created_on", "updated_on"]

    init(row: inout Row) throws {
        id = try row.next()
        name = try row.next()
        description = try row.next()
        isActive = try row.next()
        createdOn = try row.next()
        updatedOn = try row.next()
    }
}
