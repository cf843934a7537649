import EventLoop
import Foundation
import Postgres
import SQL
import TestSupport
import Testing

@testable import Migrations

@Suite struct MigrationTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private func shipped() throws -> RevisionGraph { try ScriptDirectory("\(checkout)/migrations").graph() }

    private func upgrade(_ graph: RevisionGraph) throws {
        let migrator = Migrator(graph: graph, configuration: database.directConfiguration()) { _ in }
        try Loop.run { try await migrator.upgrade() }
    }

    /// What a schema looks like: columns, constraints, indexes, sequences.
    private func schema() throws -> String {
        try database.sql(
            """
            SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
                SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '')
                    AS line FROM information_schema.columns WHERE table_schema = 'public'
                UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
                UNION ALL SELECT sequencename || ' ' || data_type FROM pg_sequences WHERE schemaname = 'public') lines
            """)
    }

    @Test func `an empty database is brought to the head, once`() throws {
        try upgrade(try shipped())
        try upgrade(try shipped())
        #expect(try database.sql("SELECT string_agg(version_num, ',') FROM alembic_version") == "3531fa35359f")
        #expect(try database.sql("SELECT pg_typeof(id) FROM campaign UNION SELECT 'bigint'::regtype") == "bigint")
        #expect(try database.sql("SELECT count(*) FROM campaign") == "0")
    }

    @Test func `a database of the original's is taken over, with its rows`() throws {
        try database.sql(
            """
            CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
            INSERT INTO alembic_version VALUES ('6c369edd2a4c');
            CREATE TABLE campaign (id SERIAL NOT NULL, name VARCHAR(255) NOT NULL, created_on TIMESTAMP DEFAULT now() NOT NULL,
                updated_on TIMESTAMP DEFAULT now() NOT NULL, PRIMARY KEY (id));
            INSERT INTO campaign (name) VALUES ('Campaign 1'), ('Campaign 2'), ('Campaign 3');
            """)
        try upgrade(try shipped())
        #expect(try database.sql("SELECT version_num FROM alembic_version") == "3531fa35359f")
        #expect(
            try database.sql("SELECT string_agg(id || name || description || is_active, ',' ORDER BY id) FROM campaign")
                == "1Campaign 1true,2Campaign 2true,3Campaign 3true")
    }

    @Test func `each downgrade undoes its upgrade`() throws {
        let revisions = try shipped().revisions
        var schemas = [try schema()]
        for revision in revisions {
            try database.sql(revision.upgrade.sql)
            schemas.append(try schema())
        }
        #expect(Set(schemas).count == revisions.count + 1)
        for (revision, before) in zip(revisions, schemas).reversed() {
            try database.sql(revision.downgrade.sql)
            #expect(try schema() == before, "\(revision.id)")
        }
    }

    @Test func `upgrades that start at the same moment run each revision once`() throws {
        let graph = try shipped()
        let configuration = database.directConfiguration()
        let lines = Lines()
        try Loop.run {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await Migrator(graph: graph, configuration: configuration) { lines.add($0) }.upgrade()
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(
            lines.all == [
                "Running upgrade  -> 6c369edd2a4c, Create Campaign table",
                "Running upgrade 6c369edd2a4c -> 3531fa35359f, Add description and is_active",
            ])
    }

    @Test func `a revision that fails leaves what was before it, and says where`() throws {
        func revision(_ id: String, _ down: String, _ sql: String) throws -> Revision {
            try Revision(
                parsing: "-- x\n-- Revision ID: \(id)\n-- Revises: \(down)\n-- upgrade\n\(sql)\n-- downgrade\n",
                file: "versions/\(id).sql")
        }
        let graph = try RevisionGraph([
            try revision("a1", "", "CREATE TABLE one (n int);"),
            try revision("b2", "a1", "CREATE TABLE two (n int);\n\nALTER TABLE missing ADD x int;"),
        ])
        let error = #expect(throws: Migrator.Failed.self) { try upgrade(graph) }
        #expect(
            error?.description
                == "versions/b2.sql:5: 42P01: relation \"missing\" does not exist; nothing of b2 was applied")
        #expect(try database.sql("SELECT version_num FROM alembic_version") == "a1")
        #expect(try database.sql("SELECT to_regclass('one') IS NOT NULL AND to_regclass('two') IS NULL") == "t")
    }

    /// Lines that tasks of one loop add. Sound as `@unchecked Sendable`: they all run on that loop's thread.
    private final class Lines: @unchecked Sendable {
        private(set) var all: [String] = []
        func add(_ line: String) { all.append(line) }
    }
}
