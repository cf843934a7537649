import AktifyAPI
import Migrations

extension RightsAudit {
    /// Creates an audit of the privileges of the serving role, which is the role in `DATABASE_URL` that workers connect
    /// as. The audit itself connects as the owner of the schema.
    /// - Throws: `CommandError` when `DATABASE_URL` does not name a role.
    init(_ config: Config) throws {
        var database = config.database
        database.login = nil
        guard let role = database.role else { throw CommandError("DATABASE_URL does not name the serving role") }
        self.init(of: role, needing: rights, on: config.ownersDatabase)
    }
}

extension Config {
    /// Grants the serving role the privileges that it lacks, and revokes EXECUTE on SECURITY DEFINER functions from
    /// PUBLIC. Does nothing when the configuration has no separate owner of the schema.
    /// - Parameter log: called with each statement that was run.
    func grantMissingRights(log: (String) -> Void) async throws {
        guard owner != nil else { return }
        for statement in try await RightsAudit(self).fix([.safe]) { log(statement) }
    }
}
