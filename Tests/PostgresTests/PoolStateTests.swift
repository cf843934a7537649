import EventLoop
import TestSupport
import Testing

@testable import Postgres

@Suite struct PoolStateTests {
    private let now = Instant.now

    /// A pool of so many connections, all open and idle.
    private func pool(of limit: Int) -> PoolState {
        var state = PoolState(limit: limit)
        // Each is opened while those before it take no more reads.
        var reads: [Int] = []
        for waiter in 1...limit {
            let later = now.advanced(by: .zero - .seconds(limit - waiter + 1))
            for case .open(let id) in state.queueRead(waiter, at: later) { _ = state.opened(id, at: later) }
            reads.append(waiter)
        }
        for id in reads { _ = state.readEnded(on: id, at: now) }
        return state
    }

    @Test func `in random histories no connection is in two hands, and nobody is forgotten`() {
        for seed in SeededGenerator.seeds(100_000) {
            var world = PoolWorld(seed: seed)
            for _ in 0..<Int.random(in: 1...60, using: &world.random) {
                switch Int.random(in: 0..<15, using: &world.random) {
                case 0...2: world.read()
                case 3, 4: world.lease()
                case 5: world.giveUpWaiting()
                case 6, 7: world.endRead()
                case 8: world.endLease(idle: true)
                case 9: world.endLease(idle: false)
                case 10: world.recover()
                case 11: world.lose()
                case 12: world.finishOpening(succeeds: Bool.random(using: &world.random))
                case 13: world.finishOpening(succeeds: true)
                default: world.pass(.milliseconds(Int.random(in: 0...300, using: &world.random)))
                }
                world.check()
            }
            world.comeToRest()
            guard world.violations.isEmpty else {
                Issue.record("TEST_SEED=\(seed): \(world.violations[0])")
                return
            }
        }
    }

    @Test func `a connection that is lost while nobody has it does not count against the limit`() {
        var state = pool(of: 1)
        let lost = state.slots[0].id
        #expect(state.closed(lost, at: now).isEmpty)
        #expect(state.beginRead(at: now) == nil)
        guard case .open(let id)? = state.queueRead(1, at: now).first else {
            Issue.record("no connection is opened in its place")
            return
        }
        guard case .grantRead(1, id)? = state.opened(id, at: now).first else {
            Issue.record("the read that waits is not granted")
            return
        }
    }

    @Test func `a lease that waits when connections are lost has one opened for it`() {
        var state = pool(of: 2)
        let leased = state.beginLease()
        #expect(leased != nil && state.beginLease() == nil)
        #expect(state.queueLease(1, at: now).isEmpty)
        let actions = state.closed(leased ?? 0, at: now)
        #expect(!actions.isEmpty, "a waiting lease gets the other connection, or one is opened")
    }

    @Test func `a connection that a read was granted on is not leased before the read has ended`() {
        var state = pool(of: 1)
        let read = state.beginRead(at: now)?.connection
        #expect(read != nil && state.beginLease() == nil)
        #expect(state.queueLease(1, at: now).isEmpty)
        #expect(state.beginRead(at: now) == nil, "a lease waits for the only connection")
        guard case .grantLease(1, _)? = state.readEnded(on: read ?? 0, at: now).first else {
            Issue.record("the lease is not granted when the read has ended")
            return
        }
    }

    @Test func `with one connection, reads and leases take turns`() {
        var state = pool(of: 1)
        let id = state.beginLease() ?? 0
        for waiter in 1...3 { _ = state.queueRead(waiter, at: now) }
        for waiter in 11...13 { _ = state.queueLease(waiter, at: now) }
        #expect(state.leaseEnded(on: id, at: now).count == 3, "the three reads come first")
        _ = state.queueRead(4, at: now)
        var actions: [PoolState.Action] = []
        for _ in 0..<3 { actions += state.readEnded(on: id, at: now) }
        guard actions.count == 1, case .grantLease(11, _) = actions[0] else {
            Issue.record("then one lease, and not the fourth read")
            return
        }
        guard case .grantRead(4, _)? = state.leaseEnded(on: id, at: now).first else {
            Issue.record("then the read that came meanwhile")
            return
        }
    }

    @Test func `a connection on which no read comes back takes no more`() {
        var state = pool(of: 2)
        let slow = state.beginRead(at: now)?.connection
        let later = now.advanced(by: .milliseconds(60))
        #expect(state.beginRead(at: later)?.connection != slow)
        _ = state.readEnded(on: slow ?? 0, at: later)
        #expect(state.beginRead(at: later)?.connection == slow)
    }

    @Test func `while the database is away, those who come are failed at once, and a connection is tried unasked`() {
        var state = PoolState(limit: 2)
        guard case .open(let id)? = state.queueRead(1, at: now).first else {
            Issue.record("no connection is opened")
            return
        }
        let actions = state.failedToOpen(id, PostgresError(.unreachable, message: "no"), at: now)
        guard actions.count == 2, case .fail(1, _) = actions[0], case .retry(let time) = actions[1] else {
            Issue.record("\(actions)")
            return
        }
        guard case .fail(2, _)? = state.queueLease(2, at: now).first else {
            Issue.record("a lease waits in vain")
            return
        }
        guard case .open? = state.retryDue(at: time).first else {
            Issue.record("no connection is tried")
            return
        }
    }
}
