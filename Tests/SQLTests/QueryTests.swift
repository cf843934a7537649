import SQL
import Testing

/// Each query, and the text that Postgres gets for it.
@Suite struct QueryTests {
    private let rows = [
        Lead(id: 1, name: "Ann", order: nil), Lead(id: 2, name: "bob", order: 5), Lead(id: 3, name: "100%_Ä", order: 4),
    ]
    private let select = "SELECT id, name, \"order\" FROM lead"

    /// Expects the text of a query's condition, how many parameters it has, and the ids of the rows that it finds in memory.
    private func expect(
        _ text: String, _ parameters: Int, _ ids: [Int64], location: SourceLocation = #_sourceLocation,
        _ condition: (Lead.Columns) -> Condition<Lead>
    ) {
        let query = Lead.where(condition)
        let statement = query.statement
        #expect(statement.text == "\(select) WHERE \(text)", sourceLocation: location)
        #expect(statement.bindings.parameters.count == parameters, sourceLocation: location)
        #expect(query.rows(of: rows).map(\.id) == ids, sourceLocation: location)
        #expect(query.count(of: rows) == ids.count, sourceLocation: location)
    }

    @Test func `all rows`() {
        #expect(Lead.all.statement.text == select)
        #expect(Lead.all.countStatement.text == "SELECT count(*) FROM lead")
        #expect(Lead.all.rows(of: rows) == rows)
    }

    @Test func `comparisons`() {
        expect("id = $1", 1, [2]) { $0.id == 2 }
        expect("id <> $1", 1, [1, 3]) { $0.id != 2 }
        expect("id < $1", 1, [1]) { $0.id < 2 }
        expect("id <= $1", 1, [1, 2]) { $0.id <= 2 }
        expect("id > $1", 1, [3]) { $0.id > 2 }
        expect("id >= $1", 1, [2, 3]) { $0.id >= 2 }
    }

    @Test func `a list of values is one parameter, however many they are`() {
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

    @Test func `what a pattern takes for a sign stands for itself in a text that is looked for`() {
        let statement = Lead.where { $0.name.contains(#"50%_\"#) }.statement
        #expect(String(decoding: statement.bindings.buffer, as: UTF8.self) == #"%50\%\_\\%"#)
    }

    @Test func `and, or, not`() {
        expect("id > $1 AND id < $2", 2, [2]) { $0.id > 1 && $0.id < 3 }
        expect("(id = $1 OR id = $2) AND name = $3", 3, [1]) { ($0.id == 1 || $0.id == 2) && $0.name == "Ann" }
        expect("NOT (id = $1)", 1, [1, 3]) { !($0.id == 2) }
    }

    @Test func `conditions add up`() {
        let query = Lead.where { $0.id > 1 }.where { $0.name == "bob" }
        #expect(query.statement.text == "\(select) WHERE id > $1 AND name = $2")
    }

    @Test func `order and limit`() {
        let query = Lead.all.ordered { [$0.name.descending, $0.id.ascending] }.limit(2)
        #expect(query.statement.text == "\(select) ORDER BY name DESC, id LIMIT $1")
        #expect(query.rows(of: rows).map(\.id) == [2, 1])
        #expect(query.countStatement.text == "SELECT count(*) FROM lead")
    }

    @Test func `the rows behind a position, by one column`() {
        let query = Lead.where { $0.id < 9 }.ordered { [$0.id.ascending(after: 2)] }
        #expect(query.statement.text == "\(select) WHERE id < $1 AND id > $2 ORDER BY id")
        #expect(query.rows(of: rows).map(\.id) == [3])
        #expect(query.countStatement.text == "SELECT count(*) FROM lead WHERE id < $1")
    }

    @Test func `the rows behind a position, by two columns of one direction`() {
        let query = Lead.all.ordered { [$0.name.descending(after: "bob"), $0.id.descending(after: 2)] }
        #expect(query.statement.text == "\(select) WHERE (name, id) < ($1, $2) ORDER BY name DESC, id DESC")
        #expect(query.rows(of: rows).map(\.id) == [1, 3])
    }

    @Test func `the rows behind a position, by two columns of different directions`() {
        let query = Lead.all.ordered { [$0.name.descending(after: "bob"), $0.id.ascending(after: 1)] }
        #expect(
            query.statement.text
                == "\(select) WHERE (name < $1 OR (name = $2 AND id > $3)) ORDER BY name DESC, id")
        #expect(query.rows(of: rows).map(\.id) == [2, 1, 3])
    }

    @Test func `insert`() {
        let lead = Lead.columns
        let one = Lead.insert([lead.name.set(to: "a"), lead.order.set(to: nil)])
        #expect(one.text == "INSERT INTO lead (name, \"order\") VALUES ($1, $2) RETURNING id, name, \"order\"")
        #expect(one.bindings.parameters.map(\.count) == [1, nil])
        #expect(Lead.insert([]).text == "INSERT INTO lead DEFAULT VALUES RETURNING id, name, \"order\"")
    }

    @Test(arguments: [1, 100]) func `insert many has one text, however many they are`(count: Int) {
        let lead = Lead.columns
        let many = Lead.insert(many: (0..<count).map { [lead.name.set(to: "\($0)"), lead.order.set(to: 1)] })
        #expect(
            many.text
                == "INSERT INTO lead (name, \"order\") SELECT * FROM unnest($1, $2) RETURNING id, name, \"order\"")
        #expect(many.bindings.parameters.map(\.type) == [1009, 1007])
    }

    @Test func `update changes what is given, and nothing else`() {
        let statement = Lead.update([Lead.columns.order.set(to: 3)]) { $0.id == 7 }
        #expect(statement.text == "UPDATE lead SET \"order\" = $1 WHERE id = $2 RETURNING id, name, \"order\"")
    }

    @Test func `delete returns what was there`() {
        #expect(Lead.delete { $0.id == 7 }.text == "DELETE FROM lead WHERE id = $1 RETURNING id, name, \"order\"")
    }

    @Test func `the table as statements`() {
        let table = """
            CREATE TABLE lead (
                id bigserial NOT NULL,
                name character varying(255) DEFAULT 'it''s'::text NOT NULL UNIQUE,
                "order" integer CHECK ("order" >= 1 AND "order" <= 9) REFERENCES campaign (id),
                PRIMARY KEY (id)
            )
            """
        #expect(
            Lead.definition.creation == [
                table, "CREATE INDEX lead_order_idx ON lead (\"order\", id)",
                "CREATE INDEX lead_trgm ON lead USING gin (name gin_trgm_ops)",
            ])
    }

    @Test func `an update that gives no values reads the rows`() {
        let statement = Lead.update([]) { $0.id == 2 }
        #expect(statement.text == "\(select) WHERE id = $1")
    }

    @Test func `rows that give values to different columns are inserted together, with defaults for the rest`() {
        let columns = Lead.columns
        let rows = [[columns.name.set(to: "a")], [columns.order.set(to: 2), columns.name.set(to: "b")], []]
        #expect(
            Lead.insert(many: rows).text
                == "INSERT INTO lead (name, \"order\") SELECT * FROM (VALUES ($1, NULL::integer), "
                + "($2, $3), ('it''s'::text, NULL::integer)) AS rows RETURNING id, name, \"order\"")
        #expect(
            Lead.insert(many: [[], []]).text
                == "INSERT INTO lead (id) SELECT * FROM (VALUES (nextval(pg_get_serial_sequence('lead', 'id'))), "
                + "(nextval(pg_get_serial_sequence('lead', 'id')))) AS rows RETURNING id, name, \"order\"")
    }
}

@Suite struct MetadataTests {
    @Test func `tables stand behind those that they refer to`() {
        #expect(Metadata(Lead.definition, Party.definition).tables.map(\.name) == ["campaign", "lead"])
        #expect(Metadata(Party.definition, Lead.definition).tables.map(\.name) == ["campaign", "lead"])
    }
}
