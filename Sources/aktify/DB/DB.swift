import ArgumentParser

/// Commands on the database's schema, in Alembic's words.
struct DB: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db", abstract: "Change the database's schema, and keep account of it.",
        discussion: """
            A revision REV is an id or the beginning of one, head, heads or base; REV+2, REV-1, and +1 or -1 from where the \
            database is. Results go to stdout, what happens to stderr. It ends with 0, with 1 when something is wrong, and with 2 \
            when the command line is.
            """,
        subcommands: [
            RevisionCommand.self, Migrate.self, PlanCommand.self, Upgrade.self, Downgrade.self, Current.self,
            DBStatus.self, History.self,
            Heads.self,
            Branches.self, Show.self, Merge.self, Stamp.self, Edit.self, Check.self, LintCommand.self, Verify.self,
            RepairCommand.self, DumpCommand.self, SquashCommand.self, GrantCommand.self, VerifyRights.self, Wait.self,
            Seed.self,
        ])

    func run() throws { throw ValidationError("Which command? aktify help db lists them.") }
}
