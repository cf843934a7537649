import Testing

@testable import Migrations

/// What a migration plan derives from observed locks and durations (waits, held locks, estimates), and the text of the
/// plan.
@Suite struct MigrationPlanTests {
    // MARK: Locks

    /// The rows of table 13.2 of the PostgreSQL manual, from the weakest lock mode to the strongest. The columns are
    /// the lock modes in the same order; an X marks a conflict.
    @Test(
        arguments: zip(
            LockMode.allCases,
            ["_______X", "______XX", "____XXXX", "___XXXXX", "__XX_XXX", "__XXXXXX", "_XXXXXXX", "XXXXXXXX"]))
    func `lock modes conflict as in the manual's table`(mode: LockMode, row: String) {
        let found = LockMode.allCases.map { mode.conflicts.contains($0) ? "X" : "_" }.joined()
        #expect(found == row)
        for other in LockMode.allCases { #expect(mode.conflicts.contains(other) == other.conflicts.contains(mode)) }
    }

    @Test func `a lock mode is parsed from its name in pg_locks`() {
        #expect(LockMode(catalogName: "AccessShareLock") == .accessShare)
        #expect(LockMode(catalogName: "ShareRowExclusiveLock") == .shareRowExclusive)
        #expect(LockMode(catalogName: "SIReadLock") == nil)
    }

    @Test func `readers wait for the strongest mode only, and writers for the stronger half`() {
        #expect(LockMode.allCases.filter { $0.waiting == .readersAndWriters } == [.accessExclusive])
        #expect(LockMode.allCases.filter { $0.waiting == .writers } == [.share, .shareRowExclusive, .exclusive])
    }

    @Test func `only the strongest lock on a relation is reported`() {
        let locks = [
            PlannedLock(relation: "one", mode: .share), PlannedLock(relation: "two", mode: .rowShare),
            PlannedLock(relation: "one", mode: .accessShare),
        ]
        #expect(locks.strongest == [locks[0], locks[1]])
    }

    @Test func `a lock on an index is not reported if its table is locked at least as strongly`() {
        let table = PlannedLock(relation: "one", mode: .share)
        let weak = PlannedLock(relation: "one_pkey", mode: .accessShare, table: "one")
        let strong = PlannedLock(relation: "one_n", mode: .accessExclusive, table: "one")
        #expect([table, weak, strong].significant == [table, strong] && [weak].significant == [weak])
    }

    // MARK: Statements

    private func statement(
        _ sql: String, line: Int = 1, isOutside: Bool = false, _ mode: LockMode, on relation: String = "public.one"
    ) -> PlannedStatement {
        var statement = PlannedStatement(
            Revision.Statement(sql: sql, line: line, isOutside: isOutside, dataLoss: nil, allowed: [:], batches: nil))
        statement.locks = [PlannedLock(relation: relation, mode: mode)]
        return statement
    }

    private func holder(_ mode: LockMode, of relation: String = "public.one") -> LockHolder {
        LockHolder(
            pid: 7, user: "reader", application: "report", state: "idle in transaction", age: 12, relation: relation,
            mode: mode)
    }

    @Test(arguments: [
        ("ALTER TABLE one ADD m int", false, LockMode.accessExclusive, 4),
        ("CREATE INDEX i ON one (n)", false, .share, 1),
        ("COMMENT ON TABLE one IS 'x'", false, .shareUpdateExclusive, 1),
        ("UPDATE one SET n = 1", false, .rowExclusive, 1),
        ("CREATE INDEX CONCURRENTLY i ON one (n)", true, .shareUpdateExclusive, 2),
        ("DROP INDEX CONCURRENTLY i", true, .shareUpdateExclusive, 4),
    ]) func `a statement waits for the sessions whose locks conflict with its own`(
        sql: String, isOutside: Bool, mode: LockMode, count: Int
    ) {
        var statement = statement(sql, isOutside: isOutside, mode)
        let holders = [LockMode.accessShare, .rowShare, .rowExclusive, .share].map { holder($0) }
        statement.findHolders(among: holders + [holder(.accessExclusive, of: "public.two")])
        #expect(statement.waitsFor.count == count)
    }

    @Test func `locks that block are held from their statement to the end of the transaction`() {
        var statements = [
            statement("SELECT 1", .accessShare, on: "public.two"),
            statement("UPDATE one SET n = 1", .rowExclusive),
            statement("ALTER TABLE one ADD m int", .accessExclusive),
            statement("UPDATE one SET m = 1", .rowExclusive),
            statement("VACUUM one", isOutside: true, .shareUpdateExclusive),
            statement("ALTER TABLE one DROP m", .accessExclusive),
        ]
        for index in [0, 1, 3, 4] { statements[index].duration = .seconds(5) }
        let revision = PlannedRevision(id: "a1", message: "x", file: "a1.sql", statements: statements)
        #expect(
            revision.holds == [
                .init(lock: PlannedLock(relation: "public.one", mode: .accessExclusive), duration: .seconds(5))
            ])
    }

    // MARK: Estimates

    private static let speeds = Speeds(scan: 1000, rewrite: 100, build: 200, update: 500)
    private static let sizes = ["one": RelationSize(bytes: 1000, indexBytes: 300, indexes: 2, rows: 9)]

    @Test(
        arguments: [
            ([.scans("one", times: 2)], .seconds(2)), ([.rewrites("one")], .seconds(20)),
            ([.builds(index: "i", on: "one"), .scans("one", times: 1)], .seconds(6)),
            ([.scans("one", times: 1), .changesRows("one")], .seconds(4)), ([.changesRows("one")], nil),
            ([.truncates("one")], nil), ([], nil), ([.rewrites("other")], nil),
        ] as [([PlannedEffect], Duration?)])
    func `an estimate is the size divided by the speed, and effects that do not depend on the size have none`(
        effects: [PlannedEffect], duration: Duration?
    ) {
        #expect(Self.speeds.duration(of: effects, Self.sizes) == duration)
    }

    @Test(
        arguments: zip(
            [Duration.milliseconds(900), .seconds(3.6), .seconds(119), .seconds(150), .seconds(7200)],
            ["less than 1 s", "about 4 s", "about 119 s", "about 3 min", "about 2 h"]))
    func `an estimate is rounded`(duration: Duration, text: String) { #expect(duration.text == text) }

    @Test(
        arguments: zip(
            [0, 8192, 10240, 25_000_000, 9_999_999_999], ["0 bytes", "8192 bytes", "10 kB", "24 MB", "9537 MB"]))
    func `sizes are formatted as in Postgres`(bytes: Int64, text: String) {
        #expect(bytesText(bytes) == text)
    }

    @Test(arguments: [
        ("ALTER TABLE one ADD m int", true), ("INSERT INTO one VALUES (1), (2)", true),
        ("CREATE TABLE two (n int GENERATED ALWAYS AS (1) STORED)", true), ("VACUUM (FULL) one", true),
        ("UPDATE one SET n = 1 WHERE n IS DISTINCT FROM 1", true), ("DROP TABLE one", true),
        ("INSERT INTO one SELECT * FROM two", false), ("SELECT f()", false), ("DO $$ BEGIN END $$", false),
        ("CALL p()", false), ("VACUUM one", false), ("REFRESH MATERIALIZED VIEW v", false), ("ANALYZE", false),
        ("WITH gone AS (DELETE FROM one) SELECT 1", false), ("CREATE TABLE two AS SELECT * FROM one", false),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1 WITH NO DATA", true), ("IMPORT FOREIGN SCHEMA s FROM SERVER t", false),
        ("UPDATE one SET n = two.n FROM two", false), ("DELETE FROM one USING two", false),
    ]) func `the duration of a query or a block is unknown`(sql: String, isKnown: Bool) {
        var statement = statement(sql, .rowExclusive)
        #expect((statement.estimate == .zero) == isKnown)
        statement.duration = .seconds(4)
        #expect((statement.estimate == .seconds(4)) == isKnown)
        statement.isObserved = false
        #expect(statement.estimate == nil)
    }

    @Test func `an unknown duration is reported and counted, and makes the time of held locks unknown`() {
        var insert = statement("INSERT INTO one SELECT * FROM two", line: 6, .rowExclusive)
        insert.duration = .seconds(3)
        let alter = statement("ALTER TABLE one ADD m int", line: 5, .accessExclusive)
        let plan = MigrationPlan(
            revisions: [PlannedRevision(id: "a1", message: "x", file: "a1.sql", statements: [alter, insert])])
        #expect(
            plan.text.contains(
                "\n     its duration is unknown; based on the sizes of the tables alone: about 3 s, estimated\n"))
        #expect(plan.text.contains("until the end of its transaction, for an unknown time\n"))
        #expect(plan.summary.hasSuffix("; 1 statement of unknown duration"))
    }

    // MARK: Text

    private var plan: MigrationPlan {
        var alter = statement("ALTER TABLE one\n    ALTER n TYPE bigint", line: 5, .accessExclusive)
        alter.effects = [.rewrites("public.one")]
        alter.duration = .seconds(4)
        alter.waitsFor = [holder(.accessShare)]
        alter.losses = [PlannedLoss(text: "drops column public.one.note (12 values)", rows: 12, isEstimate: false)]
        alter.findings = [
            Lint.Finding(
                file: "a1.sql", line: 5, rule: "changing-type", message: "it rewrites", table: "one", safeForm: nil)
        ]
        alter.locks.append(PlannedLock(relation: "public.one_pkey", mode: .accessExclusive, table: "public.one"))
        let comment = statement("COMMENT ON TABLE one IS 'x'", line: 7, .shareUpdateExclusive)
        return MigrationPlan(
            revisions: [PlannedRevision(id: "a1", message: "Widen n", file: "a1.sql", statements: [alter, comment])],
            sizes: ["public.one": RelationSize(bytes: 25_165_824, indexBytes: 8192, indexes: 1, rows: 200_000)])
    }

    private static let summary =
        "1 revision; 2 statements; readers and writers wait: 1; rewrites: 1; losses of data: 1; lint: 1; "
        + "sessions to wait for now: 1; about 4 s in all, estimated from the sizes"

    @Test func `a plan has a text form`() {
        #expect(
            plan.text == """
                a1 Widen n, a1.sql
                  5: ALTER TABLE one ALTER n TYPE bigint
                     locks public.one (24 MB and 8192 bytes of indexes, about 200000 rows) with 1 of its indexes: ACCESS EXCLUSIVE, readers and writers wait
                     rewrites public.one
                     takes about 4 s, estimated from the size
                     would wait now for pid 7 (reader, report, idle in transaction for 12 s): ACCESS SHARE on public.one
                     loses data: it drops column public.one.note (12 values)
                     lint: changing-type: it rewrites
                  7: COMMENT ON TABLE one IS 'x'
                     locks public.one (24 MB and 8192 bytes of indexes, about 200000 rows): SHARE UPDATE EXCLUSIVE, only other schema changes wait
                     takes a moment, regardless of the size
                  holds ACCESS EXCLUSIVE on public.one until the end of its transaction, about 4 s, estimated

                \(Self.summary)
                """)
    }

    @Test func `each prepared transaction counts as a session to wait for`() {
        var plan = plan
        plan.revisions[0].statements[0].waitsFor = ["a", "b", "b"].map {
            LockHolder(
                pid: nil, user: "prepared transaction", application: $0, state: "", age: 1, relation: "public.one",
                mode: .share)
        }
        #expect(plan.summary.contains("sessions to wait for now: 2"))
    }

    @Test func `a plan has a Markdown form`() {
        let lines = plan.markdown.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(
            lines.prefix(7) == [
                "## Migration plan", "", Self.summary[...], "", "### `a1` Widen n", "",
                "- Line 5: `` ALTER TABLE one ALTER n TYPE bigint ``",
            ])
        #expect(lines[8] == "  - rewrites public.one")
    }

    @Test func `foreign text in Markdown is escaped`() {
        let sql = "SELECT '``` <script>alert(1)</script>', '`'\n, 2"
        var failing = statement(sql, .accessShare, on: "public.\"<b>|[x](y)\"")
        failing.failure = "P0001: `x` <script>\n# heading & ![image](https://a)"
        let revision = PlannedRevision(id: "a1", message: "<i>*x*", file: "a1.sql", statements: [failing])
        let lines = MigrationPlan(revisions: [revision]).markdown.split(
            separator: "\n", omittingEmptySubsequences: false)
        let message = #"P0001: \`x\` &lt;script&gt; # heading &amp; !\[image\](https://a)"#
        #expect(lines[2].hasSuffix(message))
        #expect(
            lines.dropFirst(3) == [
                "", #"### `a1` &lt;i&gt;\*x\*"#, "",
                "- Line 1: ```` SELECT '``` <script>alert(1)</script>', '`' , 2 ````",
                #"  - locks public."&lt;b&gt;\|\[x\](y)": ACCESS SHARE, only other schema changes wait"#,
                "  - fails: \(message)",
            ])
    }

    @Test func `a plan reports the statement that fails, and that nothing is pending`() {
        var failing = plan
        failing.revisions[0].statements[1].failure = "42P01: relation \"one\" does not exist"
        #expect(failing.problem == "a1.sql:7: 42P01: relation \"one\" does not exist")
        #expect(failing.text.hasSuffix("; fails: a1.sql:7: 42P01: relation \"one\" does not exist"))
        #expect(plan.problem == nil)
        #expect(MigrationPlan().text == "Nothing is pending." && MigrationPlan().markdown == "Nothing is pending.")
    }
}
