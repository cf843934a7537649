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

    @Test func `no replica is chosen before it has answered`() {
        var set = ReplicaSet(count: 2, maximumLag: .seconds(10))
        #expect(set.choose(after: nil) == nil)
        set.answered(1, replayed: position(5), at: at(0))
        #expect(set.choose(after: nil) == 1)
    }

    @Test func `replicas are chosen in turn`() {
        var set = ReplicaSet(count: 3, maximumLag: .seconds(10))
        for index in 0..<3 { set.answered(index, replayed: position(5), at: at(0)) }
        #expect((0..<6).map { _ in set.choose(after: nil) } == [0, 1, 2, 0, 1, 2])
        set.failed(1)
        #expect((0..<4).map { _ in set.choose(after: nil) } == [0, 2, 0, 2])
    }

    @Test func `a replica is chosen only when it has replayed what is required`() {
        var set = ReplicaSet(count: 2, maximumLag: .seconds(10))
        set.answered(0, replayed: position(5), at: at(0))
        set.answered(1, replayed: position(7), at: at(0))
        #expect((0..<2).map { _ in set.choose(after: position(6)) } == [1, 1])
        #expect(set.choose(after: position(7)) == 1 && set.choose(after: position(8)) == nil)
        #expect(set.choose(after: position(6), except: 1) == nil)
        #expect(set.choose(after: .unknown) == nil)
    }

    @Test func `an LSN on an earlier timeline may be another record`() {
        var set = ReplicaSet(count: 1, maximumLag: .seconds(10))
        set.answered(0, replayed: position(9), at: at(0))
        #expect(set.choose(after: position(5, timeline: 2)) == nil)
        set.answered(0, replayed: position(9, timeline: 2), at: at(0))
        #expect(set.choose(after: position(5, timeline: 2)) == 0 && set.choose(after: position(5)) == 0)
    }

    @Test func `a server that is not in recovery is no replica`() {
        var set = ReplicaSet(count: 1, maximumLag: .seconds(10))
        set.answered(0, replayed: nil, at: at(0))
        #expect(set.choose(after: nil) == nil)
    }

    @Test func `a replica that is where the primary was too long ago is not chosen`() {
        var set = ReplicaSet(count: 1, maximumLag: .seconds(1))
        for time in 0...20 { set.primaryIs(at: position(UInt64(time)), at: at(time * 100)) }
        // A second ago, the primary was at 10.
        set.answered(0, replayed: position(10), at: at(2000))
        #expect(set.choose(after: nil) == 0)
        set.answered(0, replayed: position(9), at: at(2000))
        #expect(set.states == [.lagging] && set.choose(after: nil) == nil)
        set.answered(0, replayed: position(20), at: at(2100))
        #expect(set.choose(after: nil) == 0)
    }

    @Test func `while the primary writes nothing, or does not answer, nobody lags`() {
        var set = ReplicaSet(count: 1, maximumLag: .seconds(1))
        for time in 0...50 { set.primaryIs(at: position(10), at: at(time * 100)) }
        set.answered(0, replayed: position(10), at: at(5000))
        #expect(set.choose(after: nil) == 0)
        set.answered(0, replayed: position(10), at: at(600_000))
        #expect(set.choose(after: nil) == 0)
    }

    @Test(arguments: 0..<50)
    func `whatever happens, a replica that is chosen has answered last, and has replayed what is required`(seed: UInt64)
    {
        var random = SeededGenerator(seed: seed)
        var set = ReplicaSet(count: 3, maximumLag: .seconds(1))
        var replayed: [WALPosition?] = [nil, nil, nil]
        for step in 0..<500 {
            let (now, index) = (at(step * 20), Int.random(in: 0..<3, using: &random))
            let place = position(
                UInt64.random(in: 0...600, using: &random), timeline: .random(in: 1...2, using: &random))
            switch Int.random(in: 0..<4, using: &random) {
            case 0: set.primaryIs(at: position(UInt64(step)), at: now)
            case 1:
                set.failed(index)
                replayed[index] = nil
            case 2:
                replayed[index] = Bool.random(using: &random) ? place : nil
                set.answered(index, replayed: replayed[index], at: now)
            default:
                guard let chosen = set.choose(after: place, except: index) else { continue }
                #expect(chosen != index && replayed[chosen]?.includes(place) == true)
            }
        }
    }
}

@Suite struct WALPositionTests {
    @Test func `a position is written in 25 characters, and read back`() {
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
    func `nothing else is a position`(text: String) { #expect(WALPosition(text) == nil) }

    @Test func `two positions together are as far as either`() {
        let (one, other) = (WALPosition(timeline: 1, lsn: 9), WALPosition(timeline: 2, lsn: 5))
        #expect(one.merged(with: other) == WALPosition(timeline: 2, lsn: 9))
        #expect(!one.includes(other) && !other.includes(one) && one.merged(with: other).includes(one))
    }
}
