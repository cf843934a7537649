import Foundation

/// A deterministic random number generator (SplitMix64), so that a random test can be reproduced by its seed.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Creates a generator. The same seed yields the same numbers.
    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    /// The seeds for `count` random tests, which differ in each run; or only the seed in `TEST_SEED`, to reproduce a
    /// failure.
    public static func seeds(_ count: Int) -> [UInt64] {
        if let seed = ProcessInfo.processInfo.environment["TEST_SEED"].flatMap({ UInt64($0) }) { return [seed] }
        let first = UInt64.random(in: 0...UInt64(UInt32.max))
        return (0..<count).map { first &+ UInt64($0) }
    }
}
