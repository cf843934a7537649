extension Lint {
    /// One thing that hurts.
    struct Rule: Sendable {
        let name: String
        let message: String
        /// Whether it is harmless on a table that the same revision creates.
        var spareNewTables = true
        let applies: @Sendable (LintedStatement) -> Bool

        static let all: [Rule] = [
            Rule(
                name: "not-null-column",
                message: "a column that is NOT NULL and has no default fails where there are rows: give it a default"
            ) {
                $0.text.contains(
                    /add (?:column )?(?!constraint|primary|unique|foreign|check)(?:if not exists )?[^,]*not null/)
                    && !$0.text.contains(/add (?:column )?[^,]*default/)
            },
            Rule(
                name: "volatile-default",
                message:
                    "a default that differs from row to row rewrites the table: add the column without it, fill it in batches, then set the default"
            ) {
                $0.text.contains(
                    /add (?:column )?[^,]*(?:default (?:random|gen_random_uuid|clock_timestamp|nextval)|(?:big|small)?serial\b)/
                )
            },
            Rule(
                name: "index-without-concurrently",
                message:
                    "no row can be written while the index is built: CREATE INDEX CONCURRENTLY, behind -- outside transaction"
            ) { $0.text.contains(/^create (?:unique )?index (?!concurrently)/) },
            Rule(
                name: "drop-index-without-concurrently",
                message: "readers wait for the table's lock: DROP INDEX CONCURRENTLY, behind -- outside transaction"
            ) { $0.text.contains(/^drop index (?!concurrently)/) },
            Rule(
                name: "changing-type",
                message:
                    "most changes of a type rewrite the table while nobody can use it: add a column, copy in batches, swap them"
            ) { $0.text.contains(/^alter table .*alter (?:column )?[\w"]+ (?:set data )?type\s/) },
            Rule(
                name: "renaming",
                message:
                    "programs that run still use the old name: add the new one beside it, and drop the old one when nobody uses it"
            ) { $0.text.contains(/^alter table .*rename\s/) },
            Rule(
                name: "constraint-without-not-valid",
                message:
                    "all rows are checked while nobody can write: ADD … NOT VALID, then VALIDATE CONSTRAINT in a revision of its own"
            ) {
                $0.text.contains(/add (?:constraint [\w"]+ )?(?:foreign key|check)/) && !$0.text.contains("not valid")
            },
            Rule(
                name: "unique-constraint",
                message:
                    "its index is built while nobody can write: CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … USING INDEX"
            ) {
                $0.text.contains(/add (?:constraint [\w"]+ )?(?:unique|primary key)/)
                    && !$0.text.contains("using index")
            },
            Rule(
                name: "set-not-null",
                message:
                    "all rows are read while nobody can use the table: add CHECK (… IS NOT NULL) NOT VALID, validate it, then SET NOT NULL"
            ) { $0.text.contains(/alter (?:column )?[\w"]+ set not null/) },
            Rule(
                name: "concurrently-in-transaction",
                message: "CONCURRENTLY cannot run in a transaction: put -- outside transaction before it",
                spareNewTables: false
            ) { $0.text.contains(/\bconcurrently\b/) && !$0.isOutside },
            Rule(
                name: "concurrently-if-not-exists",
                message: "IF NOT EXISTS takes an invalid index that a failed try has left for a good one: leave it out",
                spareNewTables: false
            ) { $0.text.contains(/concurrently if not exists/) },
            Rule(
                name: "unmarked-data-loss",
                message:
                    "it deletes what nothing can bring back: put -- data loss: WHAT before it, so that an upgrade asks",
                spareNewTables: false
            ) { $0.text.contains(/^(?:drop table|truncate|delete from)|\bdrop column\b/) && !$0.isMarkedAsDataLoss },
            Rule(
                name: "small-key",
                message: "a key of 32 bits ends at 2,147,483,647: BIGINT or BIGSERIAL", spareNewTables: false
            ) { $0.createdTable != nil && $0.text.contains(/\bserial\b|\b(?:int|integer|int4)\b[^,]* primary key/) },
            Rule(
                name: "update-of-all-rows",
                message: "all rows are locked until the transaction ends: update them in batches, from a program",
                spareNewTables: true
            ) { $0.text.hasPrefix("update ") && !$0.text.contains(" where ") },
            Rule(
                name: "no-timeout",
                message: "without a limit, everybody waits behind a statement that waits: leave lock_timeout as it is",
                spareNewTables: false
            ) { $0.text.contains(/set (?:local |session )?(?:lock_timeout|statement_timeout) (?:=|to) '?0/) },
        ]
    }
}
