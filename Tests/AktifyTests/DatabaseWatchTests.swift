import EventLoop
import Migrations
import Scoreboard
import Testing

@testable import aktify

/// What a worker tells its master of the database.
@Suite struct DatabaseWatchTests {
    private struct Away: Error {}

    private let slot: Slot

    init() throws { slot = try #require(SharedScoreboard()).slot(1) }

    private func look(_ answer: @escaping @Sendable () async throws -> Set<String>) throws {
        let graph = try RevisionGraph(
            [("a1", ""), ("b2", "a1"), ("c3", "b2")].map { id, parent in
                let text = "-- x\n-- Revision ID: \(id)\n-- Revises: \(parent)\n-- upgrade\n-- downgrade\n"
                return try Revision(parsing: text, file: "\(id).sql")
            })
        try Loop.run {
            let loop = try #require(Loop.current)
            await DatabaseWatch(slot, graph, loop, versions: answer).look()
        }
    }

    @Test func `revisions that the database lacks are counted`() throws {
        for (versions, count) in [([], 3), (["a1"], 2), (["c3"], 0)] as [(Set<String>, Int)] {
            try look { versions }
            #expect(slot[.pendingRevisions] == count && slot[.databaseUnreachable] == 0)
        }
    }

    @Test func `a database at a revision that the program does not know lacks none`() throws {
        try look { ["d4"] }
        #expect(slot[.pendingRevisions] == 0 && slot[.databaseUnreachable] == 0)
    }

    @Test func `while the database is away, what it lacked stays known`() throws {
        try look { ["b2"] }
        try look { throw Away() }
        #expect(slot[.databaseUnreachable] == 1 && slot[.pendingRevisions] == 1)
        try look { ["c3"] }
        #expect(slot[.databaseUnreachable] == 0 && slot[.pendingRevisions] == 0)
    }
}
