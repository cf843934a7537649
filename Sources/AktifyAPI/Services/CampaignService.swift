import ORM

/// What can be done with campaigns.
struct CampaignService: Sendable {
    let campaigns: any Repository<Campaign>

    /// All campaigns, in the order of their ids.
    func list() async throws -> [Campaign] { try await campaigns.all(Campaign.all.ordered { [$0.id.ascending] }) }

    /// One campaign.
    /// - Throws: `CampaignError.notFound`.
    func find(_ id: CampaignID) async throws -> Campaign {
        guard case .number(let number) = id, let campaign = try await campaigns.find(number) else {
            throw CampaignError.notFound
        }
        return campaign
    }

    /// Makes a campaign.
    func create(_ draft: Campaign.Draft) async throws -> Campaign { try await campaigns.insert(draft) }
}

/// What clients name a campaign by: digits, of which there may be more than any campaign has.
enum CampaignID: Hashable, Sendable {
    case number(Int64)
    /// A number that is larger than every campaign's.
    case beyondAll

    /// Reads ASCII digits.
    /// - Returns: `nil` when `text` is anything else.
    init?(_ text: String) {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        self = Int64(text).map(CampaignID.number) ?? .beyondAll
    }
}

/// Why something cannot be done with a campaign.
enum CampaignError: Error {
    case notFound
}
