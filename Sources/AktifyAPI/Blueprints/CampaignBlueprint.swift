import Resources
import Web

/// The routes of campaigns.
func campaignBlueprint(_ service: CampaignService) -> Blueprint { Blueprint(resource: "campaign", service) }
