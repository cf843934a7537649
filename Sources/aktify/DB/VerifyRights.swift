import ArgumentParser
import EventLoop
import Migrations

/// `aktify db verify-rights`: lists missing and excessive privileges of the serving role.
struct VerifyRights: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify-rights",
        abstract: "Compare the privileges of the serving role with those that the application's statements need.",
        discussion: """
            Each difference is printed in one line, with the statement that fixes it (aktify db grant runs them all). \
            The exit status is 1 when there is a difference.
            """)

    func run() throws {
        let audit = try RightsAudit(loadSchemaConfig())
        let findings = try Loop.run { try await audit.findings() }
        for finding in findings { print(finding) }
        guard findings.isEmpty else { throw ExitCode(1) }
        print("The role has exactly the privileges that the application needs.")
    }
}
