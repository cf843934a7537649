import Testing

@testable import Migrations

/// Statements that affect more than their database are detected by their keywords and the functions that they call.
@Suite struct ServerWideTests {
    private func statement(_ sql: String) -> Revision.Statement {
        Revision.Statement(sql: sql, line: 1, isOutside: false, dataLoss: nil, allowed: [:], batches: nil)
    }

    @Test(arguments: [
        "CREATE ROLE a", "alter user a PASSWORD 'x'", "DROP GROUP a", "CREATE DATABASE a", "ALTER SYSTEM SET a = 1",
        "DROP TABLESPACE a", "ALTER SUBSCRIPTION a ENABLE", "GRANT CONNECT ON DATABASE a TO b",
        "REVOKE GRANT OPTION FOR SET ON PARAMETER a.b FROM b", "GRANT CREATE ON TABLESPACE a TO b", "GRANT a, b TO c",
        "REVOKE a FROM c", "COMMENT ON ROLE a IS 'x'", "SECURITY LABEL FOR p ON DATABASE a IS 'x'",
        "SELECT pg_catalog.pg_create_logical_replication_slot('a', 'b')", "SELECT pg_promote()",
        "DO $$ BEGIN PERFORM pg_replication_origin_create('a'); END $$",
    ])
    func `a server-wide statement is detected`(sql: String) { #expect(statement(sql).isServerWide) }

    @Test(arguments: [
        "CREATE USER MAPPING FOR a SERVER s", "GRANT SELECT ON a TO b", "GRANT SELECT ON parameter TO b",
        "GRANT SELECT ON database, t TO b", "REVOKE ALL ON SCHEMA a FROM b", "COMMENT ON TABLE a IS 'on database'",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO a", "CREATE TABLE role (n int)", "SELECT lo_create(1)",
        "CREATE FUNCTION f() RETURNS bool LANGUAGE sql AS 'SELECT pg_promote()'", "SET ROLE a",
    ])
    func `a statement about one database is not server-wide`(sql: String) { #expect(!statement(sql).isServerWide) }

    @Test func `changes of roles can be rolled back`() {
        #expect(
            !statement("CREATE ROLE a").isServerWideExceptRoles && !statement("GRANT a TO b").isServerWideExceptRoles)
        #expect(statement("CREATE DATABASE a").isServerWideExceptRoles)
    }
}
