import Glibc

/// Random numbers that a seed decides (SplitMix64), so that a history can be replayed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    /// The seeds to try: a new one each time, unless `TEST_SEED` names the one to replay.
    static func seeds(_ count: Int) -> [UInt64] {
        if let text = getenv("TEST_SEED"), let seed = UInt64(String(cString: text)) { return [seed] }
        let first = UInt64.random(in: 0...UInt64(UInt32.max))
        return (0..<count).map { first &+ UInt64($0) }
    }
}
