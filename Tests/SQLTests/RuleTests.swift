import SQL
import Testing

/// What is derived from the rules of a column: its definition, the validation of values, and the text of statements.
@Suite struct RuleTests {
    enum Stage: String, Enumeration {
        case new, won
        case lost = "it's lost"
    }

    /// A table with a column for each rule.
    struct Deal: Tabular, Equatable {
        var id: Int64
        var code: String
        var note: String?
        var share: Int16?
        var weight: Double
        var stage: Stage
        var nextStage: Stage?
        var owner: Int64?
        var changedOn: Timestamp
        var version: Int64

        struct Columns: Sendable {
            let id = Column(\Deal.id, "id", .primaryKey, default: .serial)
            let code = Column(
                \Deal.code, "code", .pattern("[A-Z]+|it's"), .length(2...8), .unique, .filterable, .sortable)
            let note = Column(\Deal.note, "note", .length(1...(.max)), .trimmed, .searchable, .pattern("[^x]*"))
            let share = Column(\Deal.share, "order", .range(1...100))
            let weight = Column(\Deal.weight, "weight", .range(-0.5...2), .described("How heavy.", example: "1"))
            let stage = Column(\Deal.stage, "stage", default: .value(.lost))
            let nextStage = Column(\Deal.nextStage, "next_stage", .hidden)
            let owner = Column(\Deal.owner, "owner_id", .readOnly, .check("owner_id <> 13"), references: Party.self)
            let changedOn = Column(\Deal.changedOn, "changed_on", default: .now, onUpdate: .now)
            let version = Column(\Deal.version, "version", .version)
        }

        static let columns = Columns()
        static let definition = TableDefinition(
            "deal",
            columns: [
                columns.id.definition, columns.code.definition, columns.note.definition, columns.share.definition,
                columns.weight.definition, columns.stage.definition, columns.nextStage.definition,
                columns.owner.definition, columns.changedOn.definition, columns.version.definition,
            ])
    }

    private let columns = Deal.columns
    private let list =
        "id, code, note, \"order\", weight, stage, next_stage, owner_id, changed_on, version"

    // MARK: Declarations

    @Test func `each rule contributes to the table's definition`() {
        #expect(
            Deal.definition.creation == [
                """
                CREATE TABLE deal (
                    id bigserial NOT NULL,
                    code character varying(8) NOT NULL UNIQUE CHECK (code ~ '^(?:[A-Z]+|it''s)$'),
                    note text CHECK (note ~ '^(?:[^x]*)$'),
                    "order" smallint CHECK ("order" >= 1 AND "order" <= 100),
                    weight double precision NOT NULL CHECK (weight >= -0.5 AND weight <= 2.0),
                    stage text DEFAULT 'it''s lost'::text NOT NULL CHECK (stage IN ('new', 'won', 'it''s lost')),
                    next_stage text CHECK (next_stage IN ('new', 'won', 'it''s lost')),
                    owner_id bigint CHECK (owner_id <> 13) REFERENCES campaign (id),
                    changed_on timestamp without time zone DEFAULT now() NOT NULL,
                    version bigint DEFAULT 1 NOT NULL,
                    PRIMARY KEY (id)
                )
                """,
                "CREATE INDEX deal_code_id_idx ON deal (code, id)",
                "CREATE INDEX deal_code_desc_id_idx ON deal (code DESC, id)",
                "CREATE INDEX deal_note_trgm_idx ON deal USING gin (note gin_trgm_ops)",
            ])
    }

    @Test func `filters, sorting and search imply indexes, unless an index of that name is specified`() {
        let key = Column(\Deal.id, "id", .primaryKey).definition
        let share = Column(\Deal.share, "order", .filterable).definition
        let stage = Column(\Deal.stage, "stage", .sortable, .hidden).definition
        let code = Column(\Deal.code, "code", .filterable, .unique).definition
        let table = TableDefinition("deal", columns: [key, share, stage, code])
        #expect(table.indexes == [IndexDefinition("deal_order_id_idx", on: "\"order\"", "id")])
        let specified = IndexDefinition("deal_order_id_idx", method: "brin", on: "\"order\"")
        #expect(TableDefinition("deal", columns: [key, share], indexes: [specified]).indexes == [specified])
    }

    @Test func `the name of an index is no longer than Postgres permits`() {
        let key = Column(\Deal.id, "id", .primaryKey).definition
        let code = Column(\Deal.code, "code", .sortable, .searchable).definition
        let table = TableDefinition(String(repeating: "t", count: 60), columns: [key, code])
        let start = String(repeating: "t", count: 50)
        #expect(table.indexes.map(\.name.utf8.count) == [63, 63, 63] && Set(table.indexes.map(\.name)).count == 3)
        #expect(table.indexes.allSatisfy { $0.name.hasPrefix(start) && $0.name.hasSuffix("_idx") })
    }

    @Test func `a reference has an ON DELETE action`() {
        let column = Column(\Deal.owner, "owner_id", references: Party.self, onDelete: .setNull)
        let table = TableDefinition("deal", columns: [column.definition])
        #expect(table.creation[0].contains("owner_id bigint REFERENCES campaign (id) ON DELETE SET NULL"))
    }

    @Test func `a specified type takes precedence over the default one`() {
        let column = Column(\Deal.weight, "weight", type: "real")
        #expect(column.definition.type == "real" && column.definition.oid == Double.type)
    }

    @Test func `the checks of several rules are combined`() {
        let column = Column(\Deal.share, "order", .range(1...9), .check("\"order\" % 2 = 1 OR id = 1"), .range(0...7))
        #expect(
            column.definition.check
                == "((\"order\" >= 1 AND \"order\" <= 9) AND (\"order\" % 2 = 1 OR id = 1)) "
                + "AND (\"order\" >= 0 AND \"order\" <= 7)")
    }

    @Test func `the capabilities of clients are derived from the rules`() {
        let readOnly = Deal.definition.columns.filter(\.field.isReadOnly).map(\.name)
        #expect(readOnly == ["id", "next_stage", "owner_id", "changed_on", "version"])
        #expect(Deal.definition.columns.filter(\.field.isHidden).map(\.name) == ["next_stage", "version"])
        let code = columns.code.definition.field
        #expect(code.isFilterable && code.isSortable && !code.isSearchable && !code.isTrimmed)
        #expect(code.length == 2...8 && code.pattern == "[A-Z]+|it's")
        let note = columns.note.definition.field
        #expect(note.isSearchable && note.isTrimmed && !note.isFilterable && !note.isSortable)
        let weight = columns.weight.definition.field
        #expect(weight.minimum == "-0.5" && weight.maximum == "2.0" && weight.summary == "How heavy.")
        #expect(weight.example == "1" && columns.stage.definition.field.choices == ["new", "won", "it's lost"])
        #expect(Deal.definition.version?.name == "version")
    }

    // MARK: Values

    @Test(arguments: [
        ("AB", nil), ("ABCDEFGH", nil), ("it's", nil), ("A", "must have 2 to 8 characters"),
        ("ABCDEFGHI", "must have 2 to 8 characters"), ("ab", "must match [A-Z]+|it's"), ("", "must match [A-Z]+|it's"),
        ("AB\n", "must match [A-Z]+|it's"), ("\nAB", "must match [A-Z]+|it's"), ("ABit's", "must match [A-Z]+|it's"),
        ("AÄ", "must match [A-Z]+|it's"),
    ]) func `the whole text must match the pattern`(text: String, problem: String?) {
        #expect(columns.code.problem(with: text) == problem)
    }

    @Test(arguments: [
        ("é", 1), ("e\u{301}", 2), ("👩‍👧", 3), ("\r\n", 2), ("", 0), ("🇩🇪", 2), ("\u{10ffff}", 1),
        (String(repeating: "ä", count: 300), 300),
    ]) func `characters are counted like in Postgres`(text: String, count: Int) {
        let exact = Column(\Deal.code, "code", .length(count...count))
        #expect(exact.problem(with: text) == nil)
        let longer = Column(\Deal.code, "code", .length((count + 1)...400))
        #expect(longer.problem(with: text) == "must have \(count + 1) to 400 characters")
    }

    @Test(
        arguments: [
            (nil, nil), (1, nil), (100, nil), (0, "must lie between 1 and 100"), (101, "must lie between 1 and 100"),
            (.min, "must lie between 1 and 100"), (.max, "must lie between 1 and 100"),
        ] as [(Int16?, String?)]) func `a range, which NULL satisfies`(value: Int16?, problem: String?)
    {
        #expect(columns.share.problem(with: value) == problem)
    }

    @Test(
        arguments: [
            (-0.5, true), (2, true), (-0.0, true), (2.000001, false), (-0.500001, false), (.infinity, false),
            (.nan, false),
        ] as [(Double, Bool)]) func `a range of floating-point numbers`(value: Double, isFine: Bool)
    {
        #expect((columns.weight.problem(with: value) == nil) == isFine)
    }

    @Test func `rules for text apply to optional text unless it is NULL`() {
        #expect(columns.note.problem(with: nil) == nil)
        #expect(columns.note.problem(with: "a") == nil)
        #expect(columns.note.problem(with: "x") == "must match [^x]*")
        #expect(columns.note.problem(with: "") == "must have 1 characters or more")
        #expect(columns.owner.problem(with: 13) == nil)  // Only Postgres evaluates the expression.
        #expect(columns.stage.problem(with: .won) == nil)
    }

    @Test func `a value of an enumeration is encoded as its text`() throws {
        var bytes: [UInt8] = []
        #expect(Stage.lost.encode(into: &bytes))
        #expect(String(decoding: bytes, as: UTF8.self) == "it's lost")
        #expect(try bytes.withUnsafeBytes { try Stage(binary: $0) } == .lost)
        #expect(throws: DecodingError.self) {
            try Array("none".utf8).withUnsafeBytes { try Stage(binary: $0) }
        }
        #expect(Stage.type == String.type && Stage.arrayType == String.arrayType)
        #expect(Stage.choices == ["new", "won", "it's lost"] && Stage?.choices == Stage.choices)
    }

    @Test func `in memory, a column gets its default and its value on update`() {
        let now = Timestamp(microseconds: 7)
        #expect(columns.version.defaultValue?.compute(9, now) == 1 && columns.version.updatedValue?(4, now) == 5)
        #expect(columns.changedOn.defaultValue?.compute(9, now) == now)
        #expect(columns.changedOn.updatedValue?(Timestamp(microseconds: 1), now) == now)
        #expect(columns.id.defaultValue?.compute(9, now) == 9 && columns.id.updatedValue == nil)
        #expect(columns.stage.defaultValue?.constant == .lost && columns.code.defaultValue == nil)
    }

    @Test func `a column can be reset to its default, or to NULL, or not at all`() {
        #expect(columns.code.reset() == nil && columns.code.constant() == nil)
        let values = [columns.stage.reset(), columns.note.reset(), columns.changedOn.reset()].compactMap { $0 }
        #expect(
            Deal.update(values) { $0.id == 1 }.text
                == "UPDATE deal SET stage = DEFAULT, note = $1, changed_on = DEFAULT, version = version + 1 "
                + "WHERE id = $2 RETURNING \(list)")
        #expect(columns.stage.constant()?.value(of: columns.stage) == .lost)
        #expect(columns.changedOn.constant() == nil)
        #expect(columns.note.constant() != nil)
    }

    // MARK: Conditions

    private func deal(_ id: Int64, share: Int16? = nil, weight: Double = 1) -> Deal {
        Deal(
            id: id, code: "AB", note: nil, share: share, weight: weight, stage: .new, nextStage: nil, owner: nil,
            changedOn: Timestamp(microseconds: 0), version: 1)
    }

    @Test func `in memory as in Postgres, NULL neither equals nor differs from a value, and matches nil`() {
        let rows = [deal(1), deal(2, share: 5), deal(3, share: 6)]
        #expect(Deal.where { $0.share == 5 }.rows(of: rows).map(\.id) == [2])
        #expect(Deal.where { $0.share != 5 }.rows(of: rows).map(\.id) == [3])
        #expect(Deal.where { $0.share == nil }.rows(of: rows).map(\.id) == [1])
        #expect(Deal.where { $0.share != nil }.rows(of: rows).map(\.id) == [2, 3])
        #expect(Deal.where { $0.share.isIn([5, nil]) }.rows(of: rows).map(\.id) == [2])
    }

    @Test func `optional text is searched where it is not NULL`() {
        var rows = [deal(1), deal(2), deal(3)]
        (rows[1].note, rows[2].note) = ("100%", "1000")
        let query = Deal.where { $0.note.contains("0%") }
        #expect(query.statement.text == "SELECT \(list) FROM deal WHERE note ILIKE $1")
        #expect(query.rows(of: rows).map(\.id) == [2])
    }

    // MARK: Changes

    @Test func `an update also changes the columns that every update changes, unless they are assigned`() {
        let text = Deal.update([columns.code.set(to: "AB")]) { $0.id == 1 }.text
        #expect(
            text
                == "UPDATE deal SET code = $1, changed_on = now(), version = version + 1 WHERE id = $2 RETURNING \(list)"
        )
        let explicit = Deal.update([columns.version.set(to: 9), columns.changedOn.set(to: .infinity)]) { $0.id == 1 }
        #expect(explicit.text == "UPDATE deal SET version = $1, changed_on = $2 WHERE id = $3 RETURNING \(list)")
    }

    @Test func `a guarded update distinguishes a missing row from one that does not match the requirement`() {
        let statement = Deal.update(
            [columns.share.set(to: 3)], where: columns.id == 7, if: columns.version.isIn([1, 2]))
        #expect(
            statement.text
                == "WITH changed AS (UPDATE deal SET \"order\" = $1, changed_on = now(), version = version + 1 "
                + "WHERE id = $2 AND version = ANY($3) RETURNING \(list)) SELECT \(list), true FROM changed "
                + "UNION ALL SELECT \(list), false FROM deal WHERE id = $4 AND NOT EXISTS (SELECT FROM changed)")
        #expect(statement.bindings.parameters.map(\.type) == [Int16.type, Int64.type, Int64.arrayType, Int64.type])
    }

    @Test func `a guarded deletion distinguishes them, too`() {
        let statement = Deal.delete(where: columns.id == 7, if: !columns.version.isIn([1]))
        #expect(
            statement.text
                == "WITH changed AS (DELETE FROM deal WHERE id = $1 AND NOT (version = ANY($2)) RETURNING \(list)) "
                + "SELECT \(list), true FROM changed UNION ALL SELECT \(list), false FROM deal WHERE id = $3 "
                + "AND NOT EXISTS (SELECT FROM changed)")
        #expect(
            Deal.delete(where: columns.id == 7, if: .never).text.hasPrefix(
                "WITH changed AS (DELETE FROM deal WHERE id = $1 AND false RETURNING "))
    }

    @Test func `all selected rows are updated or deleted`() {
        let some = Deal.where { $0.id > 1 }.where { $0.code == "AB" || $0.code == "CD" }.ordered { [$0.id.ascending] }
            .limit(3)
        #expect(
            some.update([columns.share.set(to: nil)]).text
                == "UPDATE deal SET \"order\" = $1, changed_on = now(), version = version + 1 "
                + "WHERE id > $2 AND (code = $3 OR code = $4)")
        #expect(some.deletion.text == "DELETE FROM deal WHERE id > $1 AND (code = $2 OR code = $3)")
        #expect(Deal.all.update([columns.share.set(to: nil)]).text.hasSuffix(" WHERE true"))
        #expect(Deal.all.deletion.text == "DELETE FROM deal WHERE true")
        #expect(some.isFiltered && !Deal.all.isFiltered)
        #expect(some.contains(deal(2)) && !some.contains(deal(1)) && Deal.all.contains(deal(1)))
    }

    // MARK: Idempotency keys

    @Test func `rows are inserted at most once per idempotency key`() {
        let key = IdempotencyKey(scope: "/deals/", key: "k", request: [1, 2])
        let expired = "created_on <= now() - interval '86400 seconds'"
        let one = Deal.insert(many: [[columns.code.set(to: "AB"), columns.weight.set(to: 1)]], once: key)
        #expect(
            one.text
                == "WITH claim AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS is_free), "
                + "kept AS (SELECT answer, request = sha256($2) AS is_same FROM idempotency_key "
                + "WHERE scope = $3 AND key = $4 AND NOT \(expired)), "
                + "purged AS (DELETE FROM idempotency_key WHERE scope = $5 AND key = $6 AND \(expired) "
                + "AND (SELECT is_free FROM claim) RETURNING key), "
                + "swept AS (DELETE FROM idempotency_key WHERE ctid = ANY(ARRAY(SELECT ctid FROM idempotency_key "
                + "WHERE \(expired) AND NOT (scope = $7 AND key = $8) ORDER BY created_on LIMIT 10 "
                + "FOR UPDATE SKIP LOCKED))), "
                + "made AS (INSERT INTO deal (code, weight) SELECT * FROM unnest($9, $10) "
                + "WHERE (SELECT is_free FROM claim) AND NOT EXISTS (SELECT FROM kept) RETURNING \(list)), "
                + "stored AS (INSERT INTO idempotency_key (scope, key, request, answer) "
                + "SELECT $11, $12, sha256($13), jsonb_agg(to_jsonb(made)) FROM made "
                + "WHERE (SELECT count(*) FROM purged) >= 0 HAVING count(*) > 0) "
                + "SELECT \(list), true FROM made UNION ALL SELECT "
                + list.split(separator: " ").map { "answered." + $0 }.joined(separator: " ")
                + ", is_same FROM kept, jsonb_array_elements(answer) AS stored_row, jsonb_populate_record(NULL::deal, "
                + "jsonb_build_object('stage', 'it''s lost'::text, 'changed_on', now(), 'version', 1) || stored_row) "
                + "AS answered")
        let many = Deal.insert(
            many: (0..<50).map { [columns.code.set(to: "A\($0)"), columns.weight.set(to: 1)] }, once: key)
        #expect(many.text == one.text)
    }

    @Test func `rows without values can be inserted with an idempotency key, too`() {
        let key = IdempotencyKey(scope: "/deals/", key: "k", request: [])
        #expect(
            Deal.insert(many: [[]], once: key).text.contains(
                "made AS (INSERT INTO deal (id) SELECT * FROM (VALUES (nextval(pg_get_serial_sequence('deal', 'id')))) "
                    + "AS rows WHERE (SELECT is_free FROM claim) AND NOT EXISTS (SELECT FROM kept) RETURNING \(list))"))
    }

    // MARK: Keyset pagination

    @Test func `a page after a position in one direction is a row comparison`() {
        let up = Deal.where { $0.version > 0 }
            .ordered { [$0.weight.ascending(after: 1), $0.id.ascending(after: 2)] }.limit(3)
        #expect(
            up.statement.text
                == "SELECT \(list) FROM deal WHERE version > $1 AND (weight, id) > ($2, $3) ORDER BY weight, id LIMIT $4"
        )
        let down = Deal.all.ordered { [$0.weight.descending(after: 1), $0.id.descending(after: 2)] }.limit(3)
        #expect(
            down.statement.text
                == "SELECT \(list) FROM deal WHERE (weight, id) < ($1, $2) ORDER BY weight DESC, id DESC LIMIT $3")
    }

    @Test func `a page after a position in two directions is two ranges of an index`() {
        let page = Deal.where { $0.version > 0 }
            .ordered { [$0.weight.descending(after: 1), $0.id.ascending(after: 2)] }.limit(3)
        #expect(
            page.statement.text
                == "(SELECT \(list) FROM deal WHERE version > $1 AND weight = $2 AND id > $3 "
                + "ORDER BY weight DESC, id LIMIT $4) UNION ALL "
                + "(SELECT \(list) FROM deal WHERE version > $5 AND weight < $6 ORDER BY weight DESC, id LIMIT $7) "
                + "ORDER BY weight DESC, id LIMIT $8")
        let other = Deal.all.ordered { [$0.weight.ascending(after: 1), $0.id.descending(after: 2)] }.limit(3)
        #expect(
            other.statement.text
                == "(SELECT \(list) FROM deal WHERE weight = $1 AND id < $2 ORDER BY weight, id DESC LIMIT $3) UNION ALL "
                + "(SELECT \(list) FROM deal WHERE weight > $4 ORDER BY weight, id DESC LIMIT $5) "
                + "ORDER BY weight, id DESC LIMIT $6")
    }

    @Test func `without a limit or a position, a list is one query`() {
        let unlimited = Deal.all.ordered { [$0.weight.descending(after: 1), $0.id.ascending(after: 2)] }
        #expect(!unlimited.statement.text.contains("UNION"))
        let first = Deal.all.ordered { [$0.weight.descending, $0.id.ascending] }.limit(3)
        #expect(first.statement.text == "SELECT \(list) FROM deal ORDER BY weight DESC, id LIMIT $1")
    }

    @Test(arguments: [true, false], [true, false])
    func `pages in memory contain every row once, in both directions`(isUp: Bool, isKeyUp: Bool) {
        let rows = (1...40).map { deal(Int64($0), weight: Double($0 % 3) / 2) }.shuffled()
        func page(_ last: Deal?) -> [Deal] {
            Deal.all.ordered { columns in
                guard let last else {
                    return [
                        isUp ? columns.weight.ascending : columns.weight.descending,
                        isKeyUp ? columns.id.ascending : columns.id.descending,
                    ]
                }
                return [
                    isUp ? columns.weight.ascending(after: last.weight) : columns.weight.descending(after: last.weight),
                    isKeyUp ? columns.id.ascending(after: last.id) : columns.id.descending(after: last.id),
                ]
            }.limit(7).rows(of: rows)
        }
        var all: [Deal] = []
        while case let next = page(all.last), !next.isEmpty { all += next }
        #expect(Set(all.map(\.id)).count == 40 && all.count == 40)
        for (one, next) in zip(all, all.dropFirst()) {
            #expect(one.weight == next.weight ? (one.id < next.id) == isKeyUp : (one.weight < next.weight) == isUp)
        }
    }
}
