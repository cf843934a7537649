import ArgumentParser
import EventLoop
import Migrations

/// Tells which rights the role that serves has too much or too little.
struct VerifyRights: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify-rights",
        abstract: "Compare the rights of the role that serves with those that the application's statements need.",
        discussion: "One line for each difference, with the statement that mends it; ends with 1 when there is one.")

    func run() throws {
        let audit = try RightsAudit(loadSchemaConfig())
        let findings = try Loop.run { try await audit.findings() }
        for finding in findings { print(finding) }
        guard findings.isEmpty else { throw ExitCode(1) }
        print("The role has exactly the rights that the application needs.")
    }
}
