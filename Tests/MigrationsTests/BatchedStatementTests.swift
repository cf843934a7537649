import Testing

@testable import Migrations

@Suite struct BatchedStatementTests {
    /// Parses a revision whose upgrade contains only `sql`, below the line `-- batches of <marker>`.
    /// - Returns: the batched statement; `nil` if `sql` does not run in batches.
    private func parsed(_ marker: String, _ sql: String) throws -> BatchedStatement? {
        try revision("a", up: "-- batches of \(marker)\n\(sql);").upgrade.statements.first?.batches
    }

    private func problem(_ marker: String, _ sql: String) throws -> String? {
        try revision("a", up: "-- batches of \(marker)\n\(sql);").upgrade.problem?.description
    }

    @Test func `a marked statement runs outside a transaction, the next one inside`() throws {
        let statements = try revision("a", up: "-- batches of 10 by id\nDELETE FROM one;\nSELECT 1;").upgrade.statements
        #expect(statements.map(\.isOutside) == [true, false])
        #expect(statements.first?.batches?.size == 10 && statements.first?.batches?.key == "id")
    }

    @Test(arguments: [
        ("UPDATE one SET a = 1", "UPDATE one SET a = 1\nWHERE one.id > 4 AND one.id <= 9"),
        ("UPDATE one SET a = 1 WHERE b OR c", "UPDATE one SET a = 1\nWHERE (b OR c\n) AND one.id > 4 AND one.id <= 9"),
        (
            "update only s.\"One\" * as o set a = (select 1 where true) from two where o.b = two.b -- so",
            "update only s.\"One\" * as o set a = (select 1 where true) from two\nWHERE (o.b = two.b\n) AND o.id > 4 AND o.id <= 9"
        ),
        (
            "DELETE FROM one o USING two WHERE o.a = 'where'",
            "DELETE FROM one o USING two\nWHERE (o.a = 'where'\n) AND o.id > 4 AND o.id <= 9"
        ),
    ]) func `a batch has the statement's own condition and a range of keys`(sql: String, batch: String) throws {
        let batched = try #require(try parsed("5000 by id", sql))
        #expect(batched.statement(after: "4", to: "9") == batch)
        #expect(
            batched.statement(after: nil, to: "9")
                == batch.replacing("one.id > 4 AND ", with: "").replacing("o.id > 4 AND ", with: ""))
    }

    @Test func `the batch after a key ends at the last key within the batch size`() throws {
        let batched = try #require(try parsed("5000 by \"Id\"", "UPDATE s.one SET a = 1"))
        let keys = """
            SELECT "Id" AS aktify_key FROM s.one WHERE "Id" > '4' AND "Id" <= '9' ORDER BY "Id" LIMIT 5000
            """
        let rows = """
            SELECT count(*) FROM s.one WHERE "Id" > '4' AND "Id" <= aktify_piece.aktify_key
            """
        #expect(
            batched.boundQuery(after: "'4'", to: "'9'")
                == "SELECT aktify_key::text, (\(rows))::text FROM (\(keys)) aktify_piece ORDER BY aktify_piece.aktify_key DESC LIMIT 1"
        )
        #expect(batched.boundQuery(after: nil, to: "'9'").contains("FROM s.one WHERE \"Id\" <= '9' ORDER BY"))
    }

    @Test(arguments: [
        ("5000 by id", "INSERT INTO one SELECT 1", "only an UPDATE or a DELETE"),
        ("5000 by id", "WITH a AS (SELECT 1) UPDATE one SET a = 1", "only an UPDATE or a DELETE"),
        ("5000 by id", "UPDATE one SET a = 1 RETURNING id", "cannot have a RETURNING clause"),
        ("5000 by id", "UPDATE one SET a = 1, ID = id + 1", "would not end: it changes id"),
        ("5000 by id", "UPDATE one SET (a, \"id\") = (SELECT 1, 2)", "would not end: it changes id"),
        ("5000 by id", "UPDATE one SET a = b IS NOT DISTINCT FROM c, id = id + 100", "would not end: it changes id"),
        ("5000 by \"id\"", "UPDATE one SET id = 1", "would not end: it changes \"id\""),
        ("5000 by Id", "UPDATE one SET \"id\" = 1", "would not end: it changes Id"),
        ("0 by id", "UPDATE one SET a = 1", "expected a line like -- batches of 5000 by id"),
        ("many", "UPDATE one SET a = 1", "expected a line like -- batches of 5000 by id"),
        ("5 by id, b", "UPDATE one SET a = 1", "expected a line like -- batches of 5000 by id"),
    ]) func `a statement that cannot run in batches is rejected with its line`(
        marker: String, sql: String, reason: String
    ) throws {
        let problem = try #require(try problem(marker, sql))
        #expect(problem.hasPrefix("a.sql:\(reason.hasPrefix("expected") ? 8 : 9): ") && problem.contains(reason))
    }

    @Test(arguments: [
        ("id", "UPDATE one SET tags = ARRAY[x, id], a = b[1:id]"),
        ("id", "UPDATE one SET a = b IS DISTINCT FROM c FROM two, id"), ("\"Id\"", "UPDATE one SET id = 1"),
        ("id", "UPDATE one SET \"Id\" = 1"),
    ]) func `a statement that does not change the key runs in batches`(key: String, sql: String) throws {
        #expect(try problem("5 by \(key)", sql) == nil)
    }

    @Test func `a column that is only read may be the batch key`() throws {
        #expect(try problem("5 by id", "UPDATE one SET a = id, b = (SELECT id = 1) WHERE id = 2") == nil)
    }
}
