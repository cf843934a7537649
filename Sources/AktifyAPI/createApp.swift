import Authentication
import ORM
import Resources
import Web

#if JWT
    import JWTAuthentication
#endif

/// The resources: one line each.
let resources: [MountedResource] = [
    MountedResource("/campaigns") { campaignBlueprint(CampaignService(rows: $0)) }
]

/// All tables of the application, for its schema, its documentation, and the checks of both.
public let metadata = Metadata(
    tables: resources.map(\.table) + [IdempotencyKey.definition, APIKeyRecord.definition, ChangeRecords.definition])

/// Puts an application together: nothing is built before this is called, and nothing else is read than `config`.
///
/// What it opens belongs to the event loop that the caller runs on: an application for each loop.
/// - Throws: `SetupError` when two blueprints or routes are in each other's way.
public func createApp(_ config: Config) throws -> Application {
    try createApp(config, database: Database(config.database))
}

/// Puts an application together on a database: one that is connected already, or that runs a request for its plan.
/// - Throws: `SetupError` when two blueprints or routes are in each other's way.
public func createApp(_ config: Config, database: Database) throws -> Application {
    let health = HealthService(database, schema: config.schema)
    return try createApp(
        config, repositories: .postgres(database), authenticator: authenticator(config, database), health: health)
}

private func authenticator(_ config: Config, _ database: Database) -> (any Authenticator)? {
    if config.authentication == .off { return nil }
    #if JWT
        if let provider = config.identityProvider { return JWTAuthenticator(provider) }
    #endif
    return KeyAuthenticator(APIKeys(database))
}

/// Puts an application together with a given place for rows: a test's may be memory.
func createApp(
    _ config: Config, repositories: Repositories, authenticator: (any Authenticator)? = nil,
    health: HealthService = HealthService(schema: nil, versions: { [] }, applied: { [:] })
) throws -> Application {
    var app = Application(cors: config.cors)
    if let authenticator { app.authorize(by: authorize(authenticator)) }
    app.aroundChanges(attributeChanges)
    if config.database.replicaHosts != nil { app.use(readYourWrites()) }
    if config.logsQueries || config.isDevelopment {
        app.use(recordQueries(logs: config.logsQueries, tells: config.isDevelopment))
    }
    try app.mount(rootBlueprint(health), at: "/")
    try app.mount(identityBlueprint(), at: "/me")
    for resource in resources { try app.mount(resource.blueprint(repositories), at: resource.prefix) }
    try app.mount(documentationBlueprint(of: app, credentials: authenticator?.credentials), at: "/openapi.json")
    return app
}
