/// Where campaigns are kept.
protocol CampaignRepository: Sendable {
    /// All campaigns, in the order of their ids.
    func all() async throws -> [Campaign]

    /// The campaign with this id, if there is one.
    func find(_ id: Int64) async throws -> Campaign?

    /// Keeps a new campaign, under an id of its own.
    func add(_ draft: Campaign.Draft) async throws -> Campaign
}
