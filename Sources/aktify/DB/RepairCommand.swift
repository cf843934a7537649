import ArgumentParser
import EventLoop
import Migrations

/// Repairs the migration history, and drops invalid indexes.
struct RepairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract:
            "Accept changed files, forget what was done of half-done revisions, and drop invalid indexes, each after it was confirmed."
    )

    @OptionGroup var schema: Schema

    @Flag(help: "Confirm all of it.")
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
