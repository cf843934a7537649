import EventLoop
import Migrations
import Scoreboard

/// Polls the database, and reports to the master whether it answers and how many revisions are pending, also while there are no requests.
///
/// Sound as `@unchecked Sendable`: it is touched on its loop's thread only.
final class DatabaseWatch: @unchecked Sendable {
    private let slot: Slot
    private let graph: RevisionGraph
    private let loop: Loop
    private let versions: @Sendable () async throws -> Set<String>

    /// - Parameter versions: asks the database where its schema is.
    init(
        _ slot: Slot, _ graph: RevisionGraph, _ loop: Loop, versions: @escaping @Sendable () async throws -> Set<String>
    ) {
        (self.slot, self.graph, self.loop, self.versions) = (slot, graph, loop, versions)
    }

    private static let interval = Duration.seconds(5)

    /// Starts polling, for as long as the loop runs.
    func begin() {
        Task(executorPreference: loop) {
            await self.look()
            self.loop.schedule(at: Instant.now.advanced(by: DatabaseWatch.interval)) { self.begin() }
        }
    }

    /// Polls once. No revision is pending in a schema that is ahead of the program.
    func look() async {
        do {
            let versions = try await versions()
            slot[.databaseUnreachable] = 0
            slot[.pendingRevisions] = (try? graph.upgradePlan(to: "heads", from: versions).count) ?? 0
        } catch {
            slot[.databaseUnreachable] = 1
        }
    }
}
