import EventLoop
import TestSupport
import Testing

@testable import Postgres

@Suite struct PoolStateTests {
    private let now = Instant.now

    /// Returns the state of a pool at its limit, with all connections open and idle.
    private func pool(of limit: Int) -> PoolState {
        var state = PoolState(limit: limit)
        // A connection is opened only while the earlier ones get no more reads.
        var reads: [Int] = []
        for waiter in 1...limit {
            let later = now.advanced(by: .zero - .seconds(limit - waiter + 1))
            for case .open(let id) in state.queueRead(waiter, at: later) { _ = state.opened(id, at: later) }
            reads.append(waiter)
        }
        for id in reads { _ = state.readEnded(on: id, at: now) }
        return state
    }

    @Test func `in random histories, no connection is granted twice, and no waiting task is forgotten`() {
        for seed in SeededGenerator.seeds(100_000) {
            var simulation = PoolSimulation(seed: seed)
            for _ in 0..<Int.random(in: 1...60, using: &simulation.random) {
                switch Int.random(in: 0..<15, using: &simulation.random) {
                case 0...2: simulation.read()
                case 3, 4: simulation.lease()
                case 5: simulation.cancelWaiting()
                case 6, 7: simulation.endRead()
                case 8: simulation.endLease(idle: true)
                case 9: simulation.endLease(idle: false)
                case 10: simulation.recover()
                case 11: simulation.loseConnection()
                case 12: simulation.finishOpening(succeeds: Bool.random(using: &simulation.random))
                case 13: simulation.finishOpening(succeeds: true)
                default: simulation.advance(by: .milliseconds(Int.random(in: 0...300, using: &simulation.random)))
                }
                simulation.checkInvariants()
            }
            simulation.settle()
            guard simulation.violations.isEmpty else {
                Issue.record("TEST_SEED=\(seed): \(simulation.violations[0])")
                return
            }
        }
    }

    @Test func `an idle connection that is lost does not count against the limit`() {
        var state = pool(of: 1)
        let lost = state.slots[0].id
        #expect(state.closed(lost, at: now).isEmpty)
        #expect(state.beginRead(at: now) == nil)
        guard case .open(let id)? = state.queueRead(1, at: now).first else {
            Issue.record("no connection is opened to replace it")
            return
        }
        guard case .grantRead(1, id)? = state.opened(id, at: now).first else {
            Issue.record("the queued read is not granted")
            return
        }
    }

    @Test func `when connections are lost, one is opened for a queued lease`() {
        var state = pool(of: 2)
        let leased = state.beginLease()
        #expect(leased != nil && state.beginLease() == nil)
        #expect(state.queueLease(1, at: now).isEmpty)
        let actions = state.closed(leased ?? 0, at: now)
        #expect(!actions.isEmpty, "the queued lease gets the other connection, or one is opened")
    }

    @Test func `a connection is not leased before the read that was granted on it has ended`() {
        var state = pool(of: 1)
        let read = state.beginRead(at: now)?.connection
        #expect(read != nil && state.beginLease() == nil)
        #expect(state.queueLease(1, at: now).isEmpty)
        #expect(state.beginRead(at: now) == nil, "a lease is queued for the only connection")
        guard case .grantLease(1, _)? = state.readEnded(on: read ?? 0, at: now).first else {
            Issue.record("the lease is not granted when the read has ended")
            return
        }
    }

    @Test func `with one connection, reads and leases alternate`() {
        var state = pool(of: 1)
        let id = state.beginLease() ?? 0
        for waiter in 1...3 { _ = state.queueRead(waiter, at: now) }
        for waiter in 11...13 { _ = state.queueLease(waiter, at: now) }
        #expect(state.leaseEnded(on: id, at: now).count == 3, "the three reads are granted first")
        _ = state.queueRead(4, at: now)
        var actions: [PoolState.Action] = []
        for _ in 0..<3 { actions += state.readEnded(on: id, at: now) }
        guard actions.count == 1, case .grantLease(11, _) = actions[0] else {
            Issue.record("one lease is granted next, before the fourth read")
            return
        }
        guard case .grantRead(4, _)? = state.leaseEnded(on: id, at: now).first else {
            Issue.record("the read that was queued meanwhile is granted next")
            return
        }
    }

    @Test func `a connection on which no read completes gets no more reads`() {
        var state = pool(of: 2)
        let slow = state.beginRead(at: now)?.connection
        let later = now.advanced(by: .milliseconds(60))
        #expect(state.beginRead(at: later)?.connection != slow)
        _ = state.readEnded(on: slow ?? 0, at: later)
        #expect(state.beginRead(at: later)?.connection == slow)
    }

    @Test
    func `during the backoff, requests fail immediately, and a connection is opened afterwards without a request`() {
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
            Issue.record("the lease does not fail")
            return
        }
        guard case .open? = state.retryDue(at: time).first else {
            Issue.record("no connection is opened after the backoff")
            return
        }
    }
}
