import ArgumentParser
import EventLoop
import Migrations

/// Grants the role that serves what it needs, and revokes all else.
struct GrantCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Give the role that serves exactly the rights that the application's statements need.",
        discussion: """
            It prints the statements that it runs. `aktify db upgrade` and MIGRATE_ON_START grant what is missing, too, but revoke \
            nothing, since an older program may still need it. Ends with 1 when something is left that only a superuser can mend.
            """)

    func run() throws {
        let audit = try RightsAudit(loadSchemaConfig())
        let (statements, findings) = try Loop.run {
            (try await audit.fix([.safe, .exact]), try await audit.findings())
        }
        for statement in statements { print("\(statement);") }
        if statements.isEmpty, findings.isEmpty { print("There was nothing to grant or revoke.") }
        guard findings.isEmpty else { throw CommandError(findings.map(\.description).joined(separator: "\n")) }
    }
}
