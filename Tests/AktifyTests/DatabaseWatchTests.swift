import EventLoop
import Migrations
import Scoreboard
import Testing

@testable import aktify

/// What a worker reports to its master about the database.
@Suite struct DatabaseWatchTests {
    private struct Unavailable: Error {}

    private let slot: Slot

    init() throws { slot = try #require(SharedScoreboard()).slot(1) }

    /// Polls once.
    /// - Parameter versions: the revisions that the database reports.
    private func poll(_ versions: @escaping @Sendable () async throws -> Set<String>) throws {
        let graph = try RevisionGraph(
            [("a1", ""), ("b2", "a1"), ("c3", "b2")].map { id, parent in
                let text = "-- x\n-- Revision ID: \(id)\n-- Revises: \(parent)\n-- upgrade\n-- downgrade\n"
                return try Revision(parsing: text, file: "\(id).sql")
            })
        try Loop.run {
            let loop = try #require(Loop.current)
            await DatabaseWatch(slot, graph, loop, versions: versions).poll()
        }
    }

    @Test func `pending revisions are counted`() throws {
        for (versions, count) in [([], 3), (["a1"], 2), (["c3"], 0)] as [(Set<String>, Int)] {
            try poll { versions }
            #expect(slot[.pendingRevisions] == count && slot[.databaseUnreachable] == 0)
        }
    }

    @Test func `a database at an unknown revision has no pending revisions`() throws {
        try poll { ["d4"] }
        #expect(slot[.pendingRevisions] == 0 && slot[.databaseUnreachable] == 0)
    }

    @Test func `while the database is unavailable, the last count of pending revisions is kept`() throws {
        try poll { ["b2"] }
        try poll { throw Unavailable() }
        #expect(slot[.databaseUnreachable] == 1 && slot[.pendingRevisions] == 1)
        try poll { ["c3"] }
        #expect(slot[.databaseUnreachable] == 0 && slot[.pendingRevisions] == 0)
    }
}
