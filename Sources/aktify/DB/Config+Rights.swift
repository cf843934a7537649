import AktifyAPI
import Migrations

extension RightsAudit {
    /// Of the role that serves, by the owner of the schema.
    /// - Throws: `CommandError` when the configuration does not say which role that is.
    init(_ config: Config) throws {
        var database = config.database
        database.login = nil
        guard let role = database.role else { throw CommandError("DATABASE_URL does not say which role serves") }
        self.init(of: role, needing: rights, on: config.ownersDatabase)
    }
}

extension Config {
    /// Grants the role that serves what it lacks, where another one owns the schema.
    func grantMissingRights(log: (String) -> Void) async throws {
        guard owner != nil else { return }
        for statement in try await RightsAudit(self).fix([.safe]) { log(statement) }
    }
}
