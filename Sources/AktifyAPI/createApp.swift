import ORM
import Web

/// Puts an application together: nothing is built before this is called, and nothing else is read than `config`.
///
/// What it opens belongs to the event loop that the caller runs on: an application for each loop.
/// - Throws: `SetupError` when two blueprints or routes are in each other's way.
public func createApp(_ config: Config) throws -> Application {
    try createApp(config, campaigns: PostgresCampaignRepository(database: Database(config.database)))
}

/// Puts an application together with a given place for campaigns: a test's may be in memory.
func createApp(_ config: Config, campaigns: any CampaignRepository) throws -> Application {
    var app = Application(cors: config.cors)
    try app.mount(rootBlueprint(), at: "/")
    try app.mount(campaignBlueprint(CampaignService(campaigns: campaigns)), at: "/campaigns")
    return app
}
