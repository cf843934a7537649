import EventLoop
import Testing

@testable import Supervisor

/// The decisions of a fleet, step by step.
@Suite struct FleetTests {
    /// A fleet whose workers are ready, with virtual time.
    private struct Scene {
        var fleet: Fleet
        var now = Instant.now
        var actions: [Fleet.Action] = []

        init(workers: Int, startsWorkers: Bool = true) {
            fleet = Fleet(Fleet.Options(workers: workers), at: now)
            on(.started)
            guard startsWorkers else { return }
            for id in 0..<workers { start(id) }
        }

        mutating func on(_ event: Fleet.Event) { actions = fleet.handle(event, at: now) }

        mutating func start(_ id: Int) {
            on(.spawned(id))
            on(.ready(id))
        }

        mutating func wait(_ duration: Duration) { now = now.advanced(by: duration) }

        func drains(_ id: Int) -> Bool { actions.contains(.drain(id)) }
        func spawns(_ id: Int, _ generation: Int) -> Bool { actions.contains(.spawn(id, generation: generation)) }
    }

    @Test func `a reload drains one old worker after the other, each when a new one is ready`() {
        var scene = Scene(workers: 2)
        scene.on(.signal(.reload))
        #expect(scene.spawns(2, 2) && !scene.drains(0))
        scene.start(2)
        #expect(scene.drains(0) && !scene.spawns(3, 2))
        scene.on(.exited(0, isClean: false))
        #expect(scene.spawns(3, 2))
        scene.start(3)
        #expect(scene.drains(1))
        scene.on(.exited(1, isClean: false))
        #expect(scene.actions.contains(.report(.reloaded(generation: 2))) && scene.fleet.state == .serving)
    }

    @Test func `a worker that was asked to drain from outside is replaced, and not counted as a crash`() {
        var scene = Scene(workers: 1)
        scene.wait(.seconds(2))
        scene.on(.exited(0, isClean: true))
        #expect(scene.actions.contains(.report(.ended(0))) && scene.spawns(1, 1))
        #expect(!scene.actions.contains(.report(.died(0, whileServing: true))))
    }

    @Test func `TERM during a reload does not drain a draining worker again, and stops the fleet`() {
        var scene = Scene(workers: 2)
        scene.on(.signal(.reload))
        scene.start(2)
        scene.on(.signal(.stop))
        #expect(!scene.drains(0) && scene.drains(1) && scene.drains(2))
        for id in 0..<3 { scene.on(.exited(id, isClean: false)) }
        #expect(scene.actions.contains(.finish(.stopped)))
    }

    @Test func `a new worker that does not become ready ends the reload, and the old ones keep serving`() {
        var scene = Scene(workers: 2)
        scene.on(.signal(.reload))
        scene.on(.spawned(2))
        scene.wait(.seconds(10))
        scene.on(.timer(.startup(2)))
        #expect(scene.actions.contains(.kill(2)) && !scene.drains(0) && !scene.drains(1))
        #expect(scene.actions.contains(.report(.reloadFailed("a new worker did not get ready", generation: 1))))
        #expect(scene.fleet.generation == 1 && scene.fleet.running.count == 2)
    }

    @Test func `the startup timeout begins anew when a starting worker publishes a heartbeat`() {
        var scene = Scene(workers: 1)
        scene.on(.signal(.reload))
        scene.on(.spawned(1))
        scene.wait(.seconds(9))
        scene.on(.preparing(1))
        scene.wait(.seconds(1))
        scene.on(.timer(.startup(1)))
        #expect(!scene.actions.contains(.kill(1)))
        scene.wait(.seconds(9))
        scene.on(.timer(.startup(1)))
        #expect(scene.actions.contains(.kill(1)))
    }

    @Test func `a worker that crashes during a reload is immediately replaced by a new one`() {
        var scene = Scene(workers: 2)
        scene.on(.signal(.reload))
        scene.start(2)
        scene.wait(.seconds(5))
        scene.on(.crashed(1))
        #expect(scene.spawns(3, 2))
        scene.start(3)
        scene.on(.exited(0, isClean: false))
        #expect(scene.actions.contains(.report(.reloaded(generation: 2))))
    }

    @Test func `startup fails when no worker becomes ready, but not after one has been ready`() {
        var scene = Scene(workers: 2, startsWorkers: false)
        scene.on(.spawnFailed(0, reason: "no such program"))
        scene.wait(.milliseconds(100))
        scene.on(.timer(.start))
        scene.on(.spawnFailed(1, reason: "no such program"))
        #expect(scene.actions.contains(.finish(.startupFailed)))
        scene = Scene(workers: 1)
        for failure in 0..<20 {
            scene.on(failure == 0 ? .exited(0, isClean: false) : .spawnFailed(failure, reason: "no such program"))
            scene.wait(.seconds(10))
            scene.on(.timer(.start))
        }
        #expect(scene.fleet.state == .serving && scene.spawns(20, 1))
    }

    @Test func `the pause before a start doubles up to 10 s`() {
        var scene = Scene(workers: 1)
        scene.on(.exited(0, isClean: false))
        var pauses: [Duration] = []
        for _ in 0..<9 {
            if case .schedule(.start, let time)? = scene.actions.last {
                pauses.append(time.duration(since: scene.now))
                scene.now = time
                scene.on(.timer(.start))
            }
            scene.on(.spawnFailed(scene.fleet.nextID - 1, reason: "no such program"))
        }
        let expected = [100, 100, 200, 400, 800, 1600, 3200, 6400, 10_000]
        #expect(pauses == expected.map { .milliseconds($0) })
    }

    @Test func `the master re-executes only after the check has passed and no worker is starting`() {
        var scene = Scene(workers: 2)
        scene.on(.signal(.execute))
        #expect(scene.actions.contains(.check))
        scene.on(.checked(problem: "LOG_LEVEL"))
        #expect(
            scene.actions.contains(.report(.reloadFailed("LOG_LEVEL", generation: 1)))
                && !scene.actions.contains(.execute))
        scene.wait(.seconds(5))
        scene.on(.signal(.execute))
        scene.on(.exited(0, isClean: false))
        scene.on(.spawned(2))
        scene.on(.checked(problem: nil))
        #expect(!scene.actions.contains(.execute))
        scene.on(.ready(2))
        #expect(scene.actions.contains(.execute))
    }

    @Test func `a check that times out is killed`() {
        var scene = Scene(workers: 1)
        scene.on(.signal(.execute))
        scene.on(.timer(.check(1)))
        #expect(scene.actions.contains(.endCheck) && scene.fleet.state == .serving)
    }

    @Test func `a failed reload reports its own generation, even if the next reload begins at once`() {
        var scene = Scene(workers: 1)
        for _ in 0..<2 { scene.on(.signal(.reload)) }
        scene.on(.spawned(1))
        scene.wait(.seconds(10))
        scene.on(.timer(.startup(1)))
        #expect(scene.actions.contains(.report(.reloadFailed("a new worker did not get ready", generation: 1))))
        #expect(scene.spawns(2, 2))
    }

    @Test func `HUP while workers fail to start makes them read the environment again`() {
        var scene = Scene(workers: 2, startsWorkers: false)
        scene.on(.spawned(0))
        scene.on(.exited(0, isClean: false))
        scene.on(.signal(.reload))
        #expect(scene.actions.contains(.forgetEnvironment(generation: 1)))
    }

    @Test func `HUP during a reload causes one more reload`() {
        var scene = Scene(workers: 1)
        for _ in 0..<3 { scene.on(.signal(.reload)) }
        scene.start(1)
        scene.on(.exited(0, isClean: false))
        #expect(scene.actions.contains(.report(.reloaded(generation: 2))) && scene.spawns(2, 3))
        scene.start(2)
        scene.on(.exited(1, isClean: false))
        #expect(scene.fleet.state == .serving && scene.fleet.pendingRequests.isEmpty)
    }

    @Test func `workers are recycled one at a time, and not while a reload is pending`() {
        var scene = Scene(workers: 2)
        scene.on(.recyclingDue(0))
        #expect(scene.spawns(2, 1))
        scene.on(.recyclingDue(1))
        #expect(scene.actions.isEmpty)
        scene.start(2)
        #expect(scene.drains(0))
        scene.on(.exited(0, isClean: false))
        #expect(scene.actions.contains(.report(.recycled)))
        scene.on(.signal(.reload))
        scene.on(.recyclingDue(1))
        #expect(scene.actions.isEmpty)
    }

    @Test func `a second SIGINT kills the workers`() {
        var scene = Scene(workers: 2)
        scene.on(.signal(.interrupt))
        #expect(scene.drains(0) && scene.drains(1))
        scene.on(.signal(.interrupt))
        #expect(scene.actions.contains(.kill(0)) && scene.actions.contains(.kill(1)))
    }

    @Test func `the number of workers stays between 0 and the maximum`() {
        var scene = Scene(workers: 2)
        scene.on(.signal(.removeAllWorkers))
        scene.on(.signal(.removeWorker))
        #expect(scene.fleet.target == 0)
        for _ in 0..<100 { scene.on(.signal(.addWorker)) }
        #expect(scene.fleet.target == 64)
    }
}
