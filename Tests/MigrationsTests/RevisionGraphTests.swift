import Testing

@testable import Migrations

/// The graph of revisions, without files and without a database.
@Suite struct RevisionGraphTests {
    /// a - b - c1 - d (merges c1 and c2) - e, and b - c2.
    private func graph() throws -> RevisionGraph {
        try RevisionGraph([
            try revision("d4", "c1, c2"), try revision("e5", "d4"), try revision("a1"), try revision("b2", "a1"),
            try revision("c2", "b2"), try revision("c1", "b2"),
        ])
    }

    @Test func `revisions come after their parents`() throws {
        #expect(try graph().revisions.map(\.id) == ["a1", "b2", "c1", "c2", "d4", "e5"])
    }

    @Test func `heads, branch points and merge points are detected`() throws {
        let graph = try graph()
        #expect(graph.heads.map(\.id) == ["e5"] && graph.branchPoints.map(\.id) == ["b2"])
        #expect(graph.revisions.map(graph.marks) == ["", " (branchpoint)", "", "", " (mergepoint)", " (head)"])
        #expect(graph.children(of: "b2").sorted() == ["c1", "c2"])
    }

    @Test func `an inconsistent graph is rejected with a message`() throws {
        func problem(_ revisions: [Revision]) -> String? {
            do { _ = try RevisionGraph(revisions) } catch { return error.description }
            return nil
        }
        #expect(problem([try revision("a"), try revision("a")])?.hasSuffix("have the same revision ID, a") == true)
        #expect(problem([try revision("x", "y")]) == "x.sql revises y, which does not exist")
        #expect(
            problem([try revision("p", "q"), try revision("q", "p"), try revision("a")])
                == "these revisions form a cycle: p, q")
        #expect(problem([]) == nil)
    }

    @Test func `revisions are identified as in Alembic`() throws {
        let graph = try graph()
        #expect(try graph.resolve("head") == ["e5"] && graph.resolve("heads") == ["e5"])
        #expect(try graph.resolve("base").isEmpty && graph.resolve("current", current: ["b2"]) == ["b2"])
        #expect(try graph.resolve("d") == ["d4"] && graph.resolve("a1+1") == ["b2"] && graph.resolve("e5-1") == ["d4"])
        #expect(try graph.resolve("head-1") == ["d4"])
        for (text, problem) in [
            ("zzz", "Can't locate revision identified by 'zzz'"), ("c", "Multiple revisions start with 'c': c1, c2"),
            ("b2+1", "Relative revision b2+1 didn't produce 1 migrations"),
            ("a1-1", "Relative revision a1-1 didn't produce 1 migrations"),
            (
                "head-9223372036854775808",
                "Relative revision head-9223372036854775808 didn't produce 9223372036854775808 migrations"
            ), ("current", "current is not known without a database: write the revision's id"),
            ("current+1", "current is not known without a database: write the revision's id"),
        ] {
            let error = #expect(throws: RevisionGraph.GraphError.self) { try graph.resolve(text) }
            #expect(error?.description == problem)
        }
    }

    @Test func `an upgrade applies the pending revisions in order`() throws {
        let graph = try graph()
        func plan(_ target: String, _ current: Set<String>) throws -> [String] {
            try graph.upgradePlan(to: target, from: current).map(\.id)
        }
        #expect(try plan("head", []) == ["a1", "b2", "c1", "c2", "d4", "e5"])
        #expect(try plan("head", ["c1"]) == ["c2", "d4", "e5"] && plan("c2", ["c1"]) == ["c2"])
        #expect(try plan("head", ["e5"]).isEmpty && plan("+2", ["b2"]) == ["c1", "c2"])
        #expect(try plan("e5", ["e5"]).isEmpty)
        #expect(throws: RevisionGraph.GraphError.self) { try plan("a1", ["b2"]) }
        #expect(throws: RevisionGraph.GraphError.self) { try plan("+3", ["d4"]) }
        #expect(throws: RevisionGraph.GraphError.self) { try plan("head", ["zzz"]) }
    }

    @Test func `a downgrade reverts the later revisions in order`() throws {
        let graph = try graph()
        func plan(_ target: String, _ current: Set<String>) throws -> [String] {
            try graph.downgradePlan(to: target, from: current).map(\.id)
        }
        #expect(try plan("-1", ["e5"]) == ["e5"] && plan("base", ["c1", "c2"]) == ["c2", "c1", "b2", "a1"])
        #expect(try plan("b2", ["e5"]) == ["e5", "d4", "c2", "c1"] && plan("e5", ["e5"]).isEmpty)
        #expect(try plan("c1", ["e5"]) == ["e5", "d4"])
        #expect(throws: RevisionGraph.GraphError.self) { try plan("-1", []) }
        #expect(throws: RevisionGraph.GraphError.self) { try plan("e5", ["b2"]) }
    }

    @Test func `the rows of alembic_version follow branches and merges`() throws {
        let graph = try graph()
        var versions: Set<String> = []
        var rows: [Set<String>] = []
        for revision in graph.revisions {
            versions = graph.versions(versions, applying: revision)
            rows.append(versions)
        }
        #expect(rows == [["a1"], ["b2"], ["c1"], ["c1", "c2"], ["d4"], ["e5"]])
        for (revision, before) in zip(graph.revisions, [[]] + rows.dropLast()).reversed() {
            versions = try graph.versions(versions, undoing: revision)
            #expect(versions == before)
        }
    }

    @Test func `several heads are rejected where one is needed, with a remedy`() throws {
        let graph = try RevisionGraph([try revision("a1"), try revision("b2", "a1"), try revision("b3", "a1")])
        #expect(graph.heads.map(\.id) == ["b2", "b3"])
        let error = #expect(throws: RevisionGraph.GraphError.self) { try graph.upgradePlan(to: "head", from: []) }
        #expect(error?.description.contains("Multiple heads are present (b2, b3)") == true)
        #expect(try graph.upgradePlan(to: "heads", from: []).count == 3)
        for text in ["heads-1", "current-1"] {
            let error = #expect(throws: RevisionGraph.GraphError.self) {
                try graph.resolve(text, current: ["b2", "b3"])
            }
            #expect(error?.description == "Relative revision \(text) is ambiguous: it may start at b2, b3")
        }
    }

    @Test func `an offline script updates the version rows`() throws {
        let script = OfflineScript(try RevisionGraph([try revision("a1"), try revision("b2", "a1")]))
        #expect(
            try script.upgrade("head").contains(
                "-- Running upgrade a1 -> b2\n\nUP;\n\nRESET SESSION AUTHORIZATION;\nRESET ROLE;\nRESET ALL;\n\n"
                    + "UPDATE alembic_version SET version_num='b2'"))
        #expect(try script.upgrade("a1:b2").hasPrefix("BEGIN;\n\n-- Running upgrade a1 -> b2\n"))
        #expect(
            try script.downgrade("b2:base").contains(
                "DELETE FROM alembic_version WHERE alembic_version.version_num = 'a1';"))
        #expect(throws: MigrationFailed.self) { try script.downgrade("base") }
    }

    @Test func `an offline script needs both ends of a range, and no database`() throws {
        let script = OfflineScript(try RevisionGraph([try revision("a1"), try revision("b2", "a1")]))
        for range in ["a1:", ":a1", "current:head"] {
            #expect(throws: RevisionGraph.GraphError.self) { try script.upgrade(range) }
            #expect(throws: RevisionGraph.GraphError.self) { try script.downgrade(range) }
        }
    }

    @Test func `a comment after a statement does not hide the semicolon in an offline script`() throws {
        let up = "SELECT 1 -- one\n;\nSELECT 2 /* two */ -- three;\n;\nSELECT -- four;\n 4 -- five"
        let script = try OfflineScript(RevisionGraph([try revision("a1", up: up)])).upgrade("head")
        #expect(script.contains("\n\nSELECT 1;\n\nSELECT 2;\n\nSELECT -- four;\n 4;\n\n"))
    }
}
