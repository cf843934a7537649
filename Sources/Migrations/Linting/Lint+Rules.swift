extension Lint {
    /// A lint rule.
    struct Rule: Sendable {
        /// The rule's name, by which a comment suppresses it.
        let name: String
        /// What is unsafe, and the safe alternative.
        let message: String
        /// Whether a violation is harmless on a table that the same revision creates.
        var allowsNewTables = true
        /// The safe statements with the same effect; `nil` if they cannot be derived from the statement alone.
        var safeForm: @Sendable (LintedStatement) -> [Step]? = { _ in nil }
        /// Whether a statement violates the rule.
        let applies: @Sendable (LintedStatement) -> Bool

        static let all: [Rule] = [
            Rule(
                name: "not-null-column",
                message: "a NOT NULL column without a default fails if the table has rows: give it a default"
            ) { $0.addedColumns.contains { $0.outer.has("not null") && !$0.hasDefault } },
            Rule(
                name: "volatile-default",
                message:
                    "a volatile default rewrites the table: add the column without it, set the default, and fill it "
                    + "in batches",
                safeForm: { $0.columnSafely }
            ) { $0.addedColumns.contains(where: \.hasVolatileDefault) },
            Rule(
                name: "index-without-concurrently",
                message:
                    "writers wait while the index is built: CREATE INDEX CONCURRENTLY, after -- outside transaction",
                safeForm: { $0.concurrently }
            ) { $0.words.droppingPrefix("create [unique] index")?.begins("concurrently") == false },
            Rule(
                name: "drop-index-without-concurrently",
                message: "readers wait for the table's lock: DROP INDEX CONCURRENTLY, after -- outside transaction",
                safeForm: { $0.concurrently }
            ) { $0.words.droppingPrefix("drop index")?.begins("concurrently") == false },
            Rule(
                name: "changing-type",
                message:
                    "most type changes rewrite the table and block it: add a column, copy in batches, swap them"
            ) {
                $0.actions.contains {
                    $0.begins("alter [column] * type") || $0.begins("alter [column] * set data type")
                }
            },
            Rule(
                name: "rewriting-table",
                message:
                    "the table is rewritten and blocked: VACUUM without FULL, or pg_repack; instead of a stored "
                    + "column, one that a trigger fills"
            ) {
                $0.addedColumns.contains { $0.outer.has("as stored") }
                    || $0.actions.contains { $0.begins("set logged|unlogged") } || $0.words.begins("cluster")
                    || $0.words.begins("vacuum full")
                    || $0.words.begins("vacuum (") && $0.words.inner.has("full")
            },
            Rule(
                name: "reindex-without-concurrently",
                message:
                    "writers wait while the index is built: REINDEX … CONCURRENTLY, after -- outside transaction"
            ) {
                $0.words.begins("reindex") && !$0.words.has("concurrently") && !$0.words.outer.begins("reindex system")
            },
            Rule(
                name: "renaming",
                message:
                    "running programs still use the old name: add the new one beside it, and drop the old one when no "
                    + "program uses it"
            ) { $0.actions.contains { $0.begins("rename") } },
            Rule(
                name: "constraint-without-not-valid",
                message:
                    "all rows are checked while writers wait: ADD … NOT VALID, then VALIDATE CONSTRAINT, after -- "
                    + "outside transaction",
                safeForm: { $0.addedSafely }
            ) {
                $0.actions.contains {
                    $0.addedConstraint?.begins("foreign|check") == true && !$0.has("not valid")
                } || $0.addedColumns.contains { $0.outer.has("check") }
            },
            Rule(
                name: "unique-constraint",
                message:
                    "its index is built while writers wait: CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … "
                    + "USING INDEX",
                safeForm: { $0.addedSafely }
            ) {
                $0.actions.contains {
                    $0.addedConstraint?.begins("unique|primary") == true && !$0.has("using index")
                } || $0.addedColumns.contains { $0.outer.has("unique") || $0.outer.has("primary key") }
            },
            Rule(
                name: "set-not-null",
                message:
                    "all rows are scanned while the table is blocked: add CHECK (… IS NOT NULL) NOT VALID, validate "
                    + "it, then SET NOT NULL",
                safeForm: { $0.notNullSafely }
            ) { !$0.unprovedColumns.isEmpty },
            Rule(
                name: "concurrently-in-transaction",
                message: "CONCURRENTLY cannot run in a transaction: put -- outside transaction before it",
                allowsNewTables: false, safeForm: { $0.outside }
            ) { $0.words.begins("create|drop|reindex|alter") && $0.words.has("concurrently") && !$0.isOutside },
            Rule(
                name: "concurrently-if-not-exists",
                message: "IF NOT EXISTS accepts an invalid index that a failed attempt has left: omit it",
                allowsNewTables: false
            ) { $0.words.has("concurrently if not exists") },
            Rule(
                name: "unmarked-data-loss",
                message:
                    "it deletes data irrecoverably: put -- data loss: WHAT before it, so that an upgrade requires a "
                    + "confirmation",
                allowsNewTables: false
            ) { $0.deletesData && !$0.isMarkedAsDataLoss },
            Rule(
                name: "small-key",
                message: "a 32-bit key overflows at 2,147,483,647: BIGINT or BIGSERIAL", allowsNewTables: false
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
                message: "without a timeout, other sessions queue behind a waiting statement: keep lock_timeout",
                allowsNewTables: false
            ) { $0.words.begins("set [local|session] lock_timeout|statement_timeout to|= 0|'0'") },
        ]
    }
}
