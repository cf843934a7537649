import SQL
import Testing

/// The SQL text of each query, and its in-memory evaluation.
@Suite struct QueryTests {
    private let rows = [
        Guest(id: 1, name: "Ann", order: nil), Guest(id: 2, name: "bob", order: 5),
        Guest(id: 3, name: "100%_Ä", order: 4),
    ]
    private let select = "SELECT id, name, \"order\" FROM guest"

    /// Expects the SQL text of a query's condition, the number of its parameters, and the ids of the in-memory rows
    /// that match.
    private func expect(
        _ text: String, _ parameters: Int, _ ids: [Int64], location: SourceLocation = #_sourceLocation,
        _ condition: (Guest.Columns) -> Condition<Guest>
    ) {
        let query = Guest.where(condition)
        let statement = query.statement
        #expect(statement.text == "\(select) WHERE \(text)", sourceLocation: location)
        #expect(statement.bindings.parameters.count == parameters, sourceLocation: location)
        #expect(query.rows(of: rows).map(\.id) == ids, sourceLocation: location)
        #expect(query.count(of: rows) == ids.count, sourceLocation: location)
    }

    @Test(arguments: [
        ("guest", "guest"), ("order", "\"order\""), ("Guest", "\"Guest\""), ("a\"b", "\"a\"\"b\""), ("", "\"\""),
        ("two_factor2", "two_factor2"), ("2fa", "\"2fa\""), ("_2", "_2"),
    ]) func `an identifier is quoted unless SQL can read it as it is`(name: String, identifier: String) {
        #expect(ColumnDefinition.quoted(name) == identifier)
    }

    @Test func `all rows`() {
        #expect(Guest.all.statement.text == select)
        #expect(Guest.all.countStatement.text == "SELECT count(*) FROM guest")
        #expect(Guest.all.rows(of: rows) == rows)
    }

    @Test func `comparisons`() {
        expect("id = $1", 1, [2]) { $0.id == 2 }
        expect("id <> $1", 1, [1, 3]) { $0.id != 2 }
        expect("id < $1", 1, [1]) { $0.id < 2 }
        expect("id <= $1", 1, [1, 2]) { $0.id <= 2 }
        expect("id > $1", 1, [3]) { $0.id > 2 }
        expect("id >= $1", 1, [2, 3]) { $0.id >= 2 }
    }

    @Test func `a list of any number of values is one parameter`() {
        expect("id = ANY($1)", 1, [1, 3]) { $0.id.isIn([1, 3, 9]) }
        expect("id = ANY($1)", 1, []) { $0.id.isIn([]) }
    }

    @Test func `NULL`() {
        expect("\"order\" IS NULL", 0, [1]) { $0.order == nil }
        expect("\"order\" IS NOT NULL", 0, [2, 3]) { $0.order != nil }
    }

    @Test func `patterns`() {
        expect("name LIKE $1", 1, [2]) { $0.name.like("b_b") }
        expect("name LIKE $1", 1, []) { $0.name.like("B%") }
        expect("name ILIKE $1", 1, [2]) { $0.name.ilike("B%") }
        expect("name LIKE $1", 1, [1]) { $0.name.hasPrefix("A") }
        expect("name ILIKE $1", 1, [3]) { $0.name.contains("%_ä") }
        expect("name ILIKE $1", 1, [1]) { $0.name.contains("NN") }
    }

    @Test func `the special characters of LIKE are escaped in a search text`() {
        let statement = Guest.where { $0.name.contains(#"50%_\"#) }.statement
        #expect(String(decoding: statement.bindings.buffer, as: UTF8.self) == #"%50\%\_\\%"#)
    }

    @Test func `conjunction, disjunction, negation`() {
        expect("id > $1 AND id < $2", 2, [2]) { $0.id > 1 && $0.id < 3 }
        expect("(id = $1 OR id = $2) AND name = $3", 3, [1]) { ($0.id == 1 || $0.id == 2) && $0.name == "Ann" }
        expect("NOT (id = $1)", 1, [1, 3]) { !($0.id == 2) }
    }

    @Test func `conditions are combined by AND`() {
        let query = Guest.where { $0.id > 1 }.where { $0.name == "bob" }
        #expect(query.statement.text == "\(select) WHERE id > $1 AND name = $2")
    }

    @Test func `order and limit`() {
        let query = Guest.all.ordered { [$0.name.descending, $0.id.ascending] }.limit(2)
        #expect(query.statement.text == "\(select) ORDER BY name DESC, id LIMIT $1")
        #expect(query.rows(of: rows).map(\.id) == [2, 1])
        #expect(query.countStatement.text == "SELECT count(*) FROM guest")
    }

    @Test func `keyset condition for one column`() {
        let query = Guest.where { $0.id < 9 }.ordered { [$0.id.ascending(after: 2)] }
        #expect(query.statement.text == "\(select) WHERE id < $1 AND id > $2 ORDER BY id")
        #expect(query.rows(of: rows).map(\.id) == [3])
        #expect(query.countStatement.text == "SELECT count(*) FROM guest WHERE id < $1")
    }

    @Test func `keyset condition for two columns sorted in the same direction`() {
        let query = Guest.all.ordered { [$0.name.descending(after: "bob"), $0.id.descending(after: 2)] }
        #expect(query.statement.text == "\(select) WHERE (name, id) < ($1, $2) ORDER BY name DESC, id DESC")
        #expect(query.rows(of: rows).map(\.id) == [1, 3])
    }

    @Test func `keyset condition for two columns sorted in different directions`() {
        let query = Guest.all.ordered { [$0.name.descending(after: "bob"), $0.id.ascending(after: 1)] }
        #expect(
            query.statement.text
                == "\(select) WHERE (name < $1 OR (name = $2 AND id > $3)) ORDER BY name DESC, id")
        #expect(query.rows(of: rows).map(\.id) == [2, 1, 3])
    }

    @Test func `insert`() {
        let guest = Guest.columns
        let one = Guest.insert([guest.name.set(to: "a"), guest.order.set(to: nil)])
        #expect(one.text == "INSERT INTO guest (name, \"order\") VALUES ($1, $2) RETURNING id, name, \"order\"")
        #expect(one.bindings.parameters.map(\.count) == [1, nil])
        #expect(Guest.insert([]).text == "INSERT INTO guest DEFAULT VALUES RETURNING id, name, \"order\"")
    }

    @Test(arguments: [1, 100]) func `inserting any number of rows has one text`(count: Int) {
        let guest = Guest.columns
        let many = Guest.insert(many: (0..<count).map { [guest.name.set(to: "\($0)"), guest.order.set(to: 1)] })
        #expect(
            many.text
                == "INSERT INTO guest (name, \"order\") SELECT * FROM unnest($1, $2) RETURNING id, name, \"order\"")
        #expect(many.bindings.parameters.map(\.type) == [1009, 1007])
    }

    @Test func `an update changes only the assigned columns`() {
        let statement = Guest.update([Guest.columns.order.set(to: 3)]) { $0.id == 7 }
        #expect(statement.text == "UPDATE guest SET \"order\" = $1 WHERE id = $2 RETURNING id, name, \"order\"")
    }

    @Test func `a deletion returns the deleted rows`() {
        #expect(Guest.delete { $0.id == 7 }.text == "DELETE FROM guest WHERE id = $1 RETURNING id, name, \"order\"")
    }

    @Test func `the statements that create a table`() {
        let table = """
            CREATE TABLE guest (
                id bigserial NOT NULL,
                name character varying(255) DEFAULT 'it''s'::text NOT NULL UNIQUE,
                "order" integer CHECK ("order" >= 1 AND "order" <= 9) REFERENCES campaign (id),
                PRIMARY KEY (id)
            )
            """
        #expect(
            Guest.definition.creation == [
                table, "CREATE INDEX guest_order_idx ON guest (\"order\", id)",
                "CREATE INDEX guest_trgm ON guest USING gin (name gin_trgm_ops)",
            ])
    }

    @Test func `an update without assignments only reads the rows`() {
        let statement = Guest.update([]) { $0.id == 2 }
        #expect(statement.text == "\(select) WHERE id = $1")
    }

    @Test func `rows that assign different columns are inserted in one statement, with defaults for omitted columns`() {
        let columns = Guest.columns
        let rows = [[columns.name.set(to: "a")], [columns.order.set(to: 2), columns.name.set(to: "b")], []]
        #expect(
            Guest.insert(many: rows).text
                == "INSERT INTO guest (name, \"order\") SELECT * FROM (VALUES ($1, NULL::integer), "
                + "($2, $3), ('it''s'::text, NULL::integer)) AS rows RETURNING id, name, \"order\"")
        #expect(
            Guest.insert(many: [[], []]).text
                == "INSERT INTO guest (id) SELECT * FROM (VALUES (nextval(pg_get_serial_sequence('guest', 'id'))), "
                + "(nextval(pg_get_serial_sequence('guest', 'id')))) AS rows RETURNING id, name, \"order\"")
    }
}

@Suite struct MetadataTests {
    @Test func `tables come after those that they reference`() {
        #expect(Metadata(Guest.definition, Party.definition).tables.map(\.name) == ["campaign", "guest"])
        #expect(Metadata(Party.definition, Guest.definition).tables.map(\.name) == ["campaign", "guest"])
    }
}
