import EventLoop
import Migrations
import Scoreboard

/// Tells the master again and again whether the database answers, and how many revisions it lacks: also when nobody asks for anything.
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

    /// Begins; it goes on for as long as the loop turns.
    func begin() {
        Task(executorPreference: loop) {
            await self.look()
            self.loop.schedule(at: Instant.now.advanced(by: DatabaseWatch.interval)) { self.begin() }
        }
    }

    /// Asks once. A schema that is ahead of the program lacks nothing, as far as that one knows.
    func look() async {
        do {
            let versions = try await versions()
            slot[.withoutDatabase] = 0
            slot[.pendingRevisions] = (try? graph.upgradePlan(to: "heads", from: versions).count) ?? 0
        } catch {
            slot[.withoutDatabase] = 1
        }
    }
}
