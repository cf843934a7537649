import AktifyAPI
import Migrations

extension RightsAudit {
    /// Creates an audit of the serving role's privileges. The audit connects to the database as the owner of the
    /// schema.
    /// - Throws: `CommandError` when the configuration does not name the serving role.
    init(_ config: Config) throws {
        var database = config.database
        database.login = nil
        guard let role = database.role else { throw CommandError("DATABASE_URL does not name the serving role") }
        self.init(of: role, needing: rights, on: config.ownersDatabase)
    }
}

extension Config {
    /// Grants the serving role the privileges that it lacks, when another role owns the schema. No privilege is
    /// revoked.
    /// - Parameter log: called with each statement that was run.
    func grantMissingRights(log: (String) -> Void) async throws {
        guard owner != nil else { return }
        for statement in try await RightsAudit(self).fix([.safe]) { log(statement) }
    }
}
