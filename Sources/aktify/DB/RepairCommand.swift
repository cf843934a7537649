import ArgumentParser
import EventLoop
import Migrations

/// `aktify db repair`: repairs the migration history, and drops invalid indexes.
struct RepairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Repair the migration history, and drop invalid indexes; asks before each repair.",
        discussion: """
            It accepts revision files that were changed after they had been applied, clears the progress of revisions \
            that stopped halfway, and drops invalid indexes. The exit status is 1 when a repair was declined.
            """)

    @OptionGroup var schema: SchemaOptions

    @Flag(help: "Make all repairs without asking.")
    var yes = false

    func run() throws {
        let migrator = try schema.migrator()
        let repairs = try Loop.run { try await migrator.repairs() }
        guard !repairs.isEmpty else { return print("There is nothing to repair.") }
        let confirmed = repairs.filter { isConfirmed($0) }
        if !confirmed.isEmpty { try runCancellably { try await migrator.carryOut(confirmed) } }
        guard confirmed.count == repairs.count else { throw ExitCode(1) }
    }

    private func isConfirmed(_ repair: Repair) -> Bool {
        print("\(repair)\(yes ? "" : "? [y/N] ")", terminator: yes ? "\n" : "")
        return yes || readLine().map { ["y", "yes"].contains($0.lowercased()) } ?? false
    }
}
