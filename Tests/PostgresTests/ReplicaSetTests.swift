import EventLoop
import TestSupport
import Testing

@testable import Postgres

@Suite struct ReplicaSetTests {
    private let start = Instant.now

    private func at(_ milliseconds: Int) -> Instant { start.advanced(by: .milliseconds(milliseconds)) }

    private func position(_ lsn: UInt64, timeline: UInt32 = 1) -> WALPosition {
        WALPosition(timeline: timeline, lsn: lsn)
    }

    private func standby(_ lsn: UInt64, timeline: UInt32 = 1, system: Int64 = 1) -> ReplicaSet.Status {
        ReplicaSet.Status(system: system, isStandby: true, position: position(lsn, timeline: timeline))
    }

    private func primary(_ lsn: UInt64, timeline: UInt32 = 1) -> ReplicaSet.Status {
        ReplicaSet.Status(system: 1, isStandby: false, position: position(lsn, timeline: timeline))
    }

    @Test func `a replica is not chosen before it has responded to a poll`() {
        var set = ReplicaSet(count: 2, maximumLag: .seconds(10))
        #expect(set.choose(after: nil, at: start) == nil)
        set.updateReplica(1, standby(5))
        #expect(set.choose(after: nil, at: start) == 1)
        set.markUnavailable(1)
        #expect(set.choose(after: nil, at: start) == nil)
    }

    @Test func `replicas are chosen in round-robin order`() {
        var set = ReplicaSet(count: 3, maximumLag: .seconds(10))
        for index in 0..<3 { set.updateReplica(index, standby(5)) }
        #expect((0..<6).map { _ in set.choose(after: nil, at: start) } == [0, 1, 2, 0, 1, 2])
        set.markUnavailable(1)
        #expect((0..<4).map { _ in set.choose(after: nil, at: start) } == [0, 2, 0, 2])
    }

    @Test func `the replica of an earlier read is chosen again as long as it is suitable`() {
        var set = ReplicaSet(count: 3, maximumLag: .seconds(10))
        for index in 0..<3 { set.updateReplica(index, standby(5)) }
        #expect((0..<4).map { _ in set.choose(after: nil, preferring: 2, at: start) } == [2, 2, 2, 2])
        #expect(set.choose(after: nil, preferring: 2, except: 2, at: start) != 2)
        set.markUnavailable(2)
        #expect(set.choose(after: nil, preferring: 2, at: start) != 2)
    }

    @Test func `a replica is chosen only if it has replayed the required position`() {
        var set = ReplicaSet(count: 2, maximumLag: .seconds(10))
        set.updateReplica(0, standby(5))
        set.updateReplica(1, standby(7))
        #expect((0..<2).map { _ in set.choose(after: position(6), at: start) } == [1, 1])
        #expect(set.choose(after: position(7), at: start) == 1 && set.choose(after: position(8), at: start) == nil)
        #expect(set.choose(after: position(6), except: 1, at: start) == nil)
        #expect(set.choose(after: .unknown, at: start) == nil)
    }

    @Test func `an equal LSN on an earlier timeline does not include the required position`() {
        var set = ReplicaSet(count: 1, maximumLag: .seconds(10))
        set.updateReplica(0, standby(9))
        #expect(set.choose(after: position(5, timeline: 2), at: start) == nil)
        set.updateReplica(0, standby(9, timeline: 2))
        #expect(set.choose(after: position(5, timeline: 2), at: start) == 0)
        #expect(set.choose(after: position(5), at: start) == 0)
    }

    @Test func `a server that is not in recovery or belongs to another cluster is not chosen`() {
        var set = ReplicaSet(count: 2, maximumLag: .seconds(10))
        set.updatePrimary(primary(5), at: start)
        set.updateReplica(0, primary(9))
        set.updateReplica(1, standby(9, system: 2))
        #expect(set.states == [.notStandby, .foreign] && set.choose(after: nil, at: start) == nil)
    }

    // MARK: Lag

    @Test func `a replica whose lag exceeds the maximum is not chosen`() {
        var set = ReplicaSet(count: 1, maximumLag: .seconds(1))
        for time in 0...20 { set.updatePrimary(primary(UInt64(time)), at: at(time * 100)) }
        // One second ago, the primary was at LSN 10.
        set.updateReplica(0, standby(10))
        #expect(set.choose(after: nil, at: at(2000)) == 0)
        set.updateReplica(0, standby(9))
        #expect(set.states == [.lagging] && set.choose(after: nil, at: at(2000)) == nil)
        set.updateReplica(0, standby(20))
        #expect(set.choose(after: nil, at: at(2000)) == 0)
    }

    @Test func `at first, a replica behind the first known position of the primary is lagging`() {
        var set = ReplicaSet(count: 1, maximumLag: .seconds(10))
        set.updatePrimary(primary(10), at: start)
        set.updateReplica(0, standby(9))
        #expect(set.states == [.lagging])
        set.updateReplica(0, standby(10))
        #expect(set.choose(after: nil, at: at(1)) == 0)
    }

    @Test func `while the primary does not respond, a replica that did not lag remains in use`() {
        var set = ReplicaSet(count: 1, maximumLag: .seconds(1))
        // The primary is lost with records that no replica has received.
        for time in 0...20 { set.updatePrimary(primary(UInt64(time)), at: at(time * 100)) }
        set.updateReplica(0, standby(15))
        #expect(set.choose(after: nil, at: at(2000)) == 0)
        set.updateReplica(0, standby(15))
        #expect(set.choose(after: nil, at: at(600_000)) == 0)
        // A new primary, which has fewer records, takes over.
        set.updatePrimary(primary(16, timeline: 2), at: at(600_000))
        set.updateReplica(0, standby(16))
        #expect(set.choose(after: nil, at: at(600_000)) == 0)
    }

    @Test func `a standby that is ahead of the primary is not chosen until the primary has reached its position`() {
        var set = ReplicaSet(count: 2, maximumLag: .seconds(10))
        set.updatePrimary(primary(5), at: start)
        set.updateReplica(0, standby(9))
        set.updateReplica(1, standby(5))
        set.updatePrimary(primary(6), after: set.replayed, at: at(500))
        #expect(set.states == [.ahead, .following(position(5))])
        set.updateReplica(0, standby(9))
        #expect((0..<2).map { _ in set.choose(after: nil, at: at(600)) } == [1, 1])
        // A standby is polled more often than the primary, and so may be past the primary's last known position.
        set.updateReplica(1, standby(7))
        #expect(set.choose(after: nil, at: at(600)) == 1)
        set.updatePrimary(primary(9), after: set.replayed, at: at(1000))
        set.updateReplica(0, standby(9))
        #expect(set.states == [.following(position(9)), .following(position(7))])
    }

    // MARK: Reads that fail

    @Test func `a replica whose reads fail is skipped with increasing backoff, until a read succeeds`() {
        var set = ReplicaSet(count: 1, maximumLag: .seconds(1))
        set.updateReplica(0, standby(5))
        var now = start
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            set.readFailed(0, at: now)
            // A read that was in flight together with it counts no further.
            set.readFailed(0, at: now)
            #expect(set.choose(after: nil, at: now.advanced(by: .milliseconds(seconds * 1000 - 1))) == nil)
            now = now.advanced(by: .seconds(seconds))
            #expect(set.choose(after: nil, at: now) == 0)
        }
        // A read that began before the failure is ignored.
        set.readSucceeded(0, since: start)
        set.readFailed(0, at: now)
        #expect(set.choose(after: nil, at: now.advanced(by: .seconds(29))) == nil)
        #expect(set.choose(after: nil, ignoringPauses: true, at: now) == 0)
        set.readSucceeded(0, since: now.advanced(by: .milliseconds(1)))
        set.readFailed(0, at: now)
        #expect(set.choose(after: nil, at: now.advanced(by: .seconds(1))) == 0)
    }

    @Test(arguments: 0..<50)
    func `in random histories, a chosen replica has responded to its last poll and replayed the required position`(
        seed: UInt64
    ) {
        var random = SeededGenerator(seed: seed)
        var set = ReplicaSet(count: 3, maximumLag: .seconds(1))
        var replayed: [WALPosition?] = [nil, nil, nil]
        for step in 0..<500 {
            let (now, index) = (at(step * 20), Int.random(in: 0..<3, using: &random))
            let (lsn, timeline) = (
                UInt64.random(in: 0...600, using: &random), UInt32.random(in: 1...2, using: &random)
            )
            switch Int.random(in: 0..<5, using: &random) {
            case 0: set.updatePrimary(primary(UInt64(step)), at: now)
            case 1:
                set.markUnavailable(index)
                replayed[index] = nil
            case 2:
                let status = Bool.random(using: &random) ? standby(lsn, timeline: timeline) : primary(lsn)
                replayed[index] = status.isStandby ? status.position : nil
                set.updateReplica(index, status)
            case 3:
                if Bool.random(using: &random) {
                    set.readFailed(index, at: now)
                } else {
                    set.readSucceeded(index, since: now)
                }
            default:
                let required = position(lsn, timeline: timeline)
                guard let chosen = set.choose(after: required, except: index, at: now) else { continue }
                #expect(chosen != index && replayed[chosen]?.includes(required) == true)
                #expect(!set.isPaused(chosen, at: now))
            }
        }
    }
}

@Suite struct WALPositionTests {
    @Test func `the text form of a position has 25 characters and can be parsed`() {
        let position = WALPosition(timeline: 1, lsn: 0x16b_3748)
        #expect(position.description == "00000001-00000000016b3748")
        #expect(WALPosition("00000001-00000000016b3748") == position)
        #expect(WALPosition(WALPosition.unknown.description) == .unknown)
    }

    @Test(arguments: [
        "", "-", "1-2", "00000001-00000000016b374", "00000001-00000000016b37480", "0000000g-00000000016b3748",
        "+0000001-00000000016b3748", "00000001-+0000000016b374", "00000001-00000000016b3748-",
        " 00000001-0000000016b3748",
        "00000001-0000000016b3748é", "00000001/00000000016b3748",
    ])
    func `other text is not a position`(text: String) { #expect(WALPosition(text) == nil) }

    @Test func `a session requires the position of its own writes, too`() {
        for required in [nil, WALPosition(timeline: 1, lsn: 3)] {
            let session = CausalSession(reads: .replicaPreferred, after: required)
            session.wrote(WALPosition(timeline: 2, lsn: 5))
            #expect(session.required == WALPosition(timeline: 2, lsn: 5) && session.written == session.required)
        }
    }

    @Test func `merged positions include both`() {
        let (one, other) = (WALPosition(timeline: 1, lsn: 9), WALPosition(timeline: 2, lsn: 5))
        #expect(one.merged(with: other) == WALPosition(timeline: 2, lsn: 9))
        #expect(!one.includes(other) && !other.includes(one) && one.merged(with: other).includes(one))
    }
}
