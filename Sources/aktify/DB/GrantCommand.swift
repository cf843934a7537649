import ArgumentParser
import EventLoop
import Migrations

/// `aktify db grant`: grants the serving role the privileges that it needs, and revokes all others.
struct GrantCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Grant the serving role exactly the privileges that the application needs, and revoke all others.",
        discussion: """
            The serving role is the one in DATABASE_URL. The command prints the statements that it runs. aktify db \
            upgrade and MIGRATE_ON_START also grant missing privileges, but revoke none, since an older program \
            version may still need them. The exit status is 1 when a difference remains that only a superuser can fix.
            """)

    func run() throws {
        let audit = try RightsAudit(loadSchemaConfig())
        let (statements, findings) = try Loop.run {
            (try await audit.fix([.safe, .exact]), try await audit.findings())
        }
        for statement in statements { print("\(statement);") }
        if statements.isEmpty, findings.isEmpty { print("Nothing to grant or revoke.") }
        guard findings.isEmpty else { throw CommandError(findings.map(\.description).joined(separator: "\n")) }
    }
}
