import Resources
import Web

/// Campaigns over HTTP.
func campaignBlueprint(_ service: CampaignService) -> Blueprint { Blueprint(resource: "campaign", service) }
