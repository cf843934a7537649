import EventLoop
import TestSupport
import Testing

@testable import Supervisor

/// Random histories of a fleet, in virtual time. `TEST_SEED` replays one.
@Suite struct FleetHistoryTests {
    @Test func `no order of events loses a worker, drains one twice, or keeps it from its end`() {
        let epoch = Instant.now
        for seed in SeededGenerator.seeds(100_000) {
            guard !Self.live(seed, from: epoch, isRecording: false).violations.isEmpty else { continue }
            let world = Self.live(seed, from: epoch, isRecording: true)
            Issue.record("TEST_SEED=\(seed): \(world.violations)\n\(world.history.joined(separator: "\n"))")
            return
        }
    }

    /// One life: disturbances, then either rest or the end.
    private static func live(_ seed: UInt64, from epoch: Instant, isRecording: Bool) -> World {
        var random = SeededGenerator(seed: ~seed)
        let faults = [0, 0, 10, 60].randomElement(using: &random) ?? 0
        var world = World(seed: seed, faults: faults, at: epoch, isRecording: isRecording)
        let ends = Bool.random(using: &random)
        for _ in 0..<Int.random(in: 1...40, using: &random) where world.outcome == nil {
            world.disturb(stops: ends)
            world.pass(.milliseconds(Int.random(in: 0...3000, using: &random)))
        }
        if ends { end(&world) } else { rest(&world) }
        return world
    }

    /// Whatever is under way, it ends after TERM, within the time for draining.
    private static func end(_ world: inout World) {
        world.deliver(.signal(.stop))
        world.pass(World.options.gracefulTimeout + .seconds(1))
        world.expect(world.outcome != nil && world.processCount == 0, "it goes on after TERM")
    }

    /// Without faults, all is as it should be after a while.
    private static func rest(_ world: inout World) {
        world.faults = 0
        world.pass(.seconds(600))
        guard world.outcome == nil else { return }
        world.deliver(.signal(.reload))
        world.pass(.seconds(600))
        world.expect(world.fleet.state == .serving, "it is still \(world.fleet.state)")
        world.expect(world.fleet.workers.count == world.fleet.target, "there are \(world.fleet.workers.count) workers")
        world.expect(
            world.serving(of: world.fleet.generation) == world.fleet.target, "not all are of the last generation")
        world.expect(world.processCount == world.fleet.target, "there are \(world.processCount) processes")
    }
}
