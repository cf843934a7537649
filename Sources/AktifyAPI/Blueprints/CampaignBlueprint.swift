import Resources
import Web

/// Creates the blueprint with the routes of campaigns.
func campaignBlueprint(_ service: CampaignService) -> Blueprint { Blueprint(resource: "campaign", service) }
