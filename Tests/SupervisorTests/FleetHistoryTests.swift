import EventLoop
import TestSupport
import Testing

@testable import Supervisor

/// Simulates random event histories of a fleet in virtual time. `TEST_SEED` replays one of them.
@Suite struct FleetHistoryTests {
    @Test func `no order of events loses a worker, drains one twice, or prevents the fleet from stopping`() {
        let epoch = Instant.now
        for seed in SeededGenerator.seeds(100_000) {
            guard !Self.simulate(seed, from: epoch, isRecording: false).violations.isEmpty else { continue }
            let simulation = Self.simulate(seed, from: epoch, isRecording: true)
            Issue.record("TEST_SEED=\(seed): \(simulation.violations)\n\(simulation.history.joined(separator: "\n"))")
            return
        }
    }

    /// Simulates one history: random disturbances, then either a stop or a recovery.
    private static func simulate(_ seed: UInt64, from epoch: Instant, isRecording: Bool) -> FleetSimulation {
        var random = SeededGenerator(seed: ~seed)
        let faultPercentage = [0, 0, 10, 60].randomElement(using: &random) ?? 0
        var simulation = FleetSimulation(
            seed: seed, faultPercentage: faultPercentage, at: epoch, isRecording: isRecording)
        let stops = Bool.random(using: &random)
        for _ in 0..<Int.random(in: 1...40, using: &random) where simulation.outcome == nil {
            simulation.disturb(stops: stops)
            simulation.advance(by: .milliseconds(Int.random(in: 0...3000, using: &random)))
        }
        if stops { stop(&simulation) } else { recover(&simulation) }
        return simulation
    }

    /// Sends TERM, and expects the fleet to stop at most a second after the graceful timeout, whatever is in progress.
    private static func stop(_ simulation: inout FleetSimulation) {
        simulation.deliver(.signal(.stop))
        simulation.advance(by: FleetSimulation.options.gracefulTimeout + .seconds(1))
        simulation.expect(
            simulation.outcome != nil && simulation.processCount == 0, "the fleet has not stopped after TERM")
    }

    /// Stops injecting faults, reloads, and expects all workers to be serving with the new generation.
    private static func recover(_ simulation: inout FleetSimulation) {
        simulation.faultPercentage = 0
        simulation.advance(by: .seconds(600))
        guard simulation.outcome == nil else { return }
        simulation.deliver(.signal(.reload))
        simulation.advance(by: .seconds(600))
        simulation.expect(simulation.fleet.state == .serving, "the state is still \(simulation.fleet.state)")
        simulation.expect(
            simulation.fleet.workers.count == simulation.fleet.target,
            "there are \(simulation.fleet.workers.count) workers")
        simulation.expect(
            simulation.serving(of: simulation.fleet.generation) == simulation.fleet.target,
            "not all workers are of the last generation")
        simulation.expect(
            simulation.processCount == simulation.fleet.target, "there are \(simulation.processCount) processes")
    }
}
