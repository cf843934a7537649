import ORM
import SQL

/// Campaigns in Postgres: one statement each.
struct PostgresCampaignRepository: CampaignRepository {
    let database: Database

    func all() async throws -> [Campaign] {
        try await database.all("SELECT \(Campaign.columns) FROM campaign ORDER BY id")
    }

    func find(_ id: Int64) async throws -> Campaign? {
        try await database.first("SELECT \(Campaign.columns) FROM campaign WHERE id = \(id)")
    }

    func add(_ draft: Campaign.Draft) async throws -> Campaign {
        try await database.insert(
            """
            INSERT INTO campaign (name, description, is_active) \
            VALUES (\(draft.name), \(draft.description), \(draft.isActive)) RETURNING \(Campaign.columns)
            """)
    }
}
