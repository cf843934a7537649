import EventLoop
import Migrations
import Scoreboard

/// Polls the database every 5 seconds, even while the worker is idle, and publishes in the scoreboard whether the
/// database responds and how many revisions are pending.
///
/// Safe as `@unchecked Sendable`: a watch is only used on its event loop's thread.
final class DatabaseWatch: @unchecked Sendable {
    private let slot: Slot
    private let graph: RevisionGraph
    private let loop: Loop
    private let versions: @Sendable () async throws -> Set<String>

    /// Creates a watch that does not poll yet.
    /// - Parameter versions: queries the revisions that the database's schema is at.
    init(
        _ slot: Slot, _ graph: RevisionGraph, _ loop: Loop, versions: @escaping @Sendable () async throws -> Set<String>
    ) {
        (self.slot, self.graph, self.loop, self.versions) = (slot, graph, loop, versions)
    }

    private static let interval = Duration.seconds(5)

    /// Starts polling the database. Polling ends when the event loop stops.
    func begin() {
        Task(executorPreference: loop) {
            await self.poll()
            self.loop.schedule(at: Instant.now.advanced(by: DatabaseWatch.interval)) { self.begin() }
        }
    }

    /// Polls the database once. A schema that is ahead of the program counts as having no pending revisions.
    func poll() async {
        do {
            let versions = try await versions()
            slot[.databaseUnreachable] = 0
            slot[.pendingRevisions] = (try? graph.upgradePlan(to: "heads", from: versions).count) ?? 0
        } catch {
            slot[.databaseUnreachable] = 1
        }
    }
}
