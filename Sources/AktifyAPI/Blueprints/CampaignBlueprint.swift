import Web

/// Campaigns over HTTP.
func campaignBlueprint(_ service: CampaignService) -> Blueprint {
    var campaigns = Blueprint("campaigns")
    campaigns.get("/") { _ in .json(try await service.list()) }
    campaigns.get("/<id>") { request in
        guard let id = CampaignID(request.parameter("id")) else {
            throw HTTPError(.unprocessableContent, "id must be an integer")
        }
        return .json(try await service.find(id))
    }
    campaigns.post("/", example: #"{"name":"Spring"}"#) { request in
        let campaign = try await service.create(Campaign.Draft(json: request.json()))
        let location = request.url("/campaigns/\(campaign.id)")
        return .json(campaign, status: .created, headers: [.location: location])
    }
    return campaigns
}
