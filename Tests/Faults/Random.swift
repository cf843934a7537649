/// A generator whose numbers follow from a seed (SplitMix64), so that a round can be replayed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    /// Whether something of this probability happens.
    mutating func chance(_ probability: Double) -> Bool { .random(in: 0..<1, using: &self) < probability }

    /// One of some elements.
    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[.random(in: 0..<elements.count, using: &self)]
    }

    mutating func seconds(_ range: ClosedRange<Double>) -> Double { .random(in: range, using: &self) }
}
