import ArgumentParser

/// `aktify db`: the migration commands, named like Alembic's.
struct DB: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db", abstract: "Manage the database schema with migrations.",
        discussion: """
            Revisions are named by their id or a unique prefix of it, or by head, heads or base. They can be relative: \
            REV+2 and REV-1 count from a revision, +1 and -1 from the one that the database is at. Results are printed \
            to standard output, progress to standard error. Exit status: 0 on success, 1 on failure, 2 when the \
            command line is invalid.
            """,
        subcommands: [
            RevisionCommand.self, Migrate.self, PlanCommand.self, Upgrade.self, Downgrade.self, Current.self,
            DBStatus.self, History.self, Heads.self, Branches.self,
            Show.self, Merge.self, Stamp.self, Edit.self, Check.self, LintCommand.self, Verify.self,
            RepairCommand.self, DumpCommand.self, SquashCommand.self, GrantCommand.self, VerifyRights.self, Wait.self,
            Seed.self,
        ])

    func run() throws { throw ValidationError("Missing subcommand: see aktify help db.") }
}
