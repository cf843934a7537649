import SQL

/// Campaigns in memory, for tests: they behave as in Postgres, and are gone with the process.
actor InMemoryCampaignRepository: CampaignRepository {
    private var campaigns: [Campaign] = []
    private let now: @Sendable () -> Timestamp

    /// Makes a repository that holds nothing; `now` is the clock.
    init(now: @escaping @Sendable () -> Timestamp = { Timestamp(unixSeconds: 1_795_419_216) }) { self.now = now }

    func all() -> [Campaign] { campaigns }

    func find(_ id: Int64) -> Campaign? { campaigns.first { $0.id == id } }

    func add(_ draft: Campaign.Draft) -> Campaign {
        let now = now()
        let campaign = Campaign(
            id: (campaigns.last?.id ?? 0) + 1, name: draft.name, description: draft.description,
            isActive: draft.isActive,
            createdOn: now, updatedOn: now)
        campaigns.append(campaign)
        return campaign
    }
}
