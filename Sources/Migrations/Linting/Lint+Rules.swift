extension Lint {
    /// One thing that hurts.
    struct Rule: Sendable {
        let name: String
        let message: String
        /// Whether it is harmless on a table that the same revision creates.
        var spareNewTables = true
        /// What does the same safely; `nil` when that cannot be told from the statement alone.
        var safeForm: @Sendable (LintedStatement) -> [Step]? = { _ in nil }
        let applies: @Sendable (LintedStatement) -> Bool

        static let all: [Rule] = [
            Rule(
                name: "not-null-column",
                message: "a column that is NOT NULL and has no default fails where there are rows: give it a default"
            ) { $0.addedColumns.contains { $0.outer.has("not null") && !$0.hasDefault } },
            Rule(
                name: "volatile-default",
                message:
                    "a default that differs from row to row rewrites the table: add the column without it, set the default, and fill it in batches",
                safeForm: { $0.columnSafely }
            ) { $0.addedColumns.contains(where: \.hasVolatileDefault) },
            Rule(
                name: "index-without-concurrently",
                message:
                    "no row can be written while the index is built: CREATE INDEX CONCURRENTLY, behind -- outside transaction",
                safeForm: { $0.concurrently }
            ) { $0.words.behind("create [unique] index")?.begins("concurrently") == false },
            Rule(
                name: "drop-index-without-concurrently",
                message: "readers wait for the table's lock: DROP INDEX CONCURRENTLY, behind -- outside transaction",
                safeForm: { $0.concurrently }
            ) { $0.words.behind("drop index")?.begins("concurrently") == false },
            Rule(
                name: "changing-type",
                message:
                    "most changes of a type rewrite the table while nobody can use it: add a column, copy in batches, swap them"
            ) {
                $0.actions.contains {
                    $0.begins("alter [column] * type") || $0.begins("alter [column] * set data type")
                }
            },
            Rule(
                name: "rewriting-table",
                message:
                    "the table is written anew while nobody can use it: VACUUM without FULL, or pg_repack"
            ) {
                $0.words.begins("cluster") || $0.words.begins("vacuum full")
                    || $0.words.begins("vacuum (") && $0.words.inner.has("full")
            },
            Rule(
                name: "reindex-without-concurrently",
                message:
                    "no row can be written while the index is built: REINDEX … CONCURRENTLY, behind -- outside transaction"
            ) {
                $0.words.begins("reindex") && !$0.words.has("concurrently") && !$0.words.outer.begins("reindex system")
            },
            Rule(
                name: "renaming",
                message:
                    "programs that run still use the old name: add the new one beside it, and drop the old one when nobody uses it"
            ) { $0.actions.contains { $0.begins("rename") } },
            Rule(
                name: "constraint-without-not-valid",
                message:
                    "all rows are checked while nobody can write: ADD … NOT VALID, then VALIDATE CONSTRAINT, behind -- outside transaction",
                safeForm: { $0.addedSafely }
            ) {
                $0.actions.contains {
                    $0.addedConstraint?.begins("foreign|check") == true && !$0.has("not valid")
                }
            },
            Rule(
                name: "unique-constraint",
                message:
                    "its index is built while nobody can write: CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … USING INDEX",
                safeForm: { $0.addedSafely }
            ) {
                $0.actions.contains {
                    $0.addedConstraint?.begins("unique|primary") == true && !$0.has("using index")
                }
            },
            Rule(
                name: "set-not-null",
                message:
                    "all rows are read while nobody can use the table: add CHECK (… IS NOT NULL) NOT VALID, validate it, then SET NOT NULL",
                safeForm: { $0.notNullSafely }
            ) { !$0.unprovedColumns.isEmpty },
            Rule(
                name: "concurrently-in-transaction",
                message: "CONCURRENTLY cannot run in a transaction: put -- outside transaction before it",
                spareNewTables: false, safeForm: { $0.outside }
            ) { $0.words.begins("create|drop|reindex|alter") && $0.words.has("concurrently") && !$0.isOutside },
            Rule(
                name: "concurrently-if-not-exists",
                message: "IF NOT EXISTS takes an invalid index that a failed try has left for a good one: leave it out",
                spareNewTables: false
            ) { $0.words.has("concurrently if not exists") },
            Rule(
                name: "unmarked-data-loss",
                message:
                    "it deletes what nothing can bring back: put -- data loss: WHAT before it, so that an upgrade asks",
                spareNewTables: false
            ) { $0.deletesData && !$0.isMarkedAsDataLoss },
            Rule(
                name: "small-key",
                message: "a key of 32 bits ends at 2,147,483,647: BIGINT or BIGSERIAL", spareNewTables: false
            ) {
                $0.definitions.contains {
                    $0.begins("* serial|serial4") || $0.begins("* int|integer|int4") && $0.has("primary key")
                }
            },
            Rule(
                name: "update-of-all-rows",
                message: "all rows are locked until the transaction ends: update them in batches",
                safeForm: { $0.batched }
            ) { $0.words.begins("update") && !$0.words.outer.has("where") && !$0.isInBatches },
            Rule(
                name: "no-timeout",
                message: "without a limit, everybody waits behind a statement that waits: leave lock_timeout as it is",
                spareNewTables: false
            ) { $0.words.begins("set [local|session] lock_timeout|statement_timeout to|= 0|'0'") },
        ]
    }
}
