import Testing

@testable import Migrations

@Suite struct LintTests {
    private func rules(_ sql: String) throws -> [String] {
        Lint.findings(in: try revision("a", up: sql)).map(\.rule)
    }

    @Test(
        arguments: [
            ("ALTER TABLE t ADD COLUMN c int NOT NULL;", "not-null-column"),
            ("ALTER TABLE t ADD COLUMN c uuid DEFAULT gen_random_uuid();", "volatile-default"),
            ("ALTER TABLE t ADD c bigserial;", "volatile-default"),
            ("CREATE UNIQUE INDEX i ON t (c);", "index-without-concurrently"),
            ("DROP INDEX i;", "drop-index-without-concurrently"),
            ("ALTER TABLE t ALTER COLUMN c TYPE bigint;", "changing-type"),
            ("ALTER TABLE t RENAME COLUMN a TO b;", "renaming"),
            ("ALTER TABLE t RENAME TO u;", "renaming"),
            ("ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u;", "constraint-without-not-valid"),
            ("ALTER TABLE t ADD CHECK (a > 0);", "constraint-without-not-valid"),
            ("ALTER TABLE t ADD CONSTRAINT u UNIQUE (a);", "unique-constraint"),
            ("ALTER TABLE t ALTER c SET NOT NULL;", "set-not-null"),
            ("CREATE INDEX CONCURRENTLY i ON t (c);", "concurrently-in-transaction"),
            (
                "-- outside transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (c);",
                "concurrently-if-not-exists"
            ),
            ("ALTER TABLE t DROP COLUMN c;", "unmarked-data-loss"), ("DROP TABLE t;", "unmarked-data-loss"),
            ("TRUNCATE t;", "unmarked-data-loss"), ("CREATE TABLE t (id serial PRIMARY KEY);", "small-key"),
            ("UPDATE t SET c = 1;", "update-of-all-rows"), ("SET LOCAL lock_timeout = 0;", "no-timeout"),
        ]) func `what hurts is found, and may be waived with a reason`(sql: String, rule: String) throws
    {
        #expect(try rules(sql) == [rule])
        let waiver = "-- lint: allow \(rule) it is right here\n"
        let place =
            sql.hasPrefix("-- outside") ? sql.replacing("transaction\n", with: "transaction\n" + waiver) : waiver + sql
        #expect(try rules(place).isEmpty)
    }

    @Test(arguments: [
        "ALTER TABLE t ADD COLUMN c int;", "ALTER TABLE t ADD COLUMN c int NOT NULL DEFAULT 0;",
        "-- outside transaction\nCREATE INDEX CONCURRENTLY i ON t (c);", "-- data loss: all of t\nDROP TABLE t;",
        "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u NOT VALID;",
        "ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX i;", "UPDATE t SET c = 1 WHERE id = 1;",
        "CREATE TABLE t (id bigserial PRIMARY KEY, name text NOT NULL);",
        "CREATE TABLE t (id bigserial); CREATE INDEX i ON t (id); ALTER TABLE t ADD CONSTRAINT u UNIQUE (id);",
        "COMMENT ON TABLE t IS 'DROP TABLE t';", "SELECT 1; -- DROP TABLE t",
    ])
    func `what is safe is let alone`(sql: String) throws { #expect(try rules(sql).isEmpty) }
}
