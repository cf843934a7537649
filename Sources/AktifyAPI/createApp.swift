import Authentication
import ORM
import Resources
import Web

#if JWT
    import JWTAuthentication
#endif

/// The resources of the API, each declared on one line.
let resources: [MountedResource] = [
    MountedResource("/campaigns") { campaignBlueprint(CampaignService(rows: $0)) }
]

/// All tables of the application, for migrations and schema checks.
public let metadata = Metadata(
    tables: resources.map(\.table) + [IdempotencyKey.definition, APIKeyRecord.definition, ChangeRecords.definition])

/// Creates the application from its configuration. The application uses no global state: this function creates
/// everything.
///
/// The database connections belong to the event loop that the caller runs on, so that each event loop needs a separate
/// application.
/// - Throws: `SetupError` when prefixes or routes conflict.
public func createApp(_ config: Config) throws -> Application {
    try createApp(config, database: Database(config.database))
}

/// Creates the application with an existing `Database`, such as one that is already connected, or the one that
/// `Database.explaining` passes to its closure.
/// - Throws: `SetupError` when prefixes or routes conflict.
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

/// Creates the application with the given repositories. Tests pass repositories that store rows in memory.
func createApp(
    _ config: Config, repositories: Repositories, authenticator: (any Authenticator)? = nil,
    health: HealthService = HealthService(schema: nil, versions: { [] }, applied: { [:] })
) throws -> Application {
    var app = Application(cors: config.cors)
    if let authenticator { app.authorize(by: authorize(authenticator)) }
    app.useForUnsafeMethods(attributeChanges)
    if config.database.replicaHosts != nil { app.use(readYourWrites()) }
    if config.logsQueries || config.isDevelopment {
        app.use(recordQueries(logs: config.logsQueries, addsServerTiming: config.isDevelopment))
    }
    try app.mount(rootBlueprint(health), at: "/")
    try app.mount(identityBlueprint(), at: "/me")
    for resource in resources { try app.mount(resource.blueprint(repositories), at: resource.prefix) }
    try app.mount(documentationBlueprint(of: app, credentials: authenticator?.credentials), at: "/openapi.json")
    return app
}
