import Glibc

/// A histogram of durations in shared memory, which other processes may read at any time.
public struct Histogram: @unchecked Sendable {
    // Sound: it is created by a slot and not stored for longer than the slot's scoreboard exists.
    private let memory: UnsafeMutableRawPointer

    init(memory: UnsafeMutableRawPointer) { self.memory = memory }

    /// The upper bounds of the buckets, in nanoseconds; a last bucket has no upper bound.
    public static let bounds = [
        500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
        500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]

    /// The number of histograms in a `Slot`, that is, for each worker.
    static let capacity = 96
    static let nameBytes = 120
    static let bytes = 8 + nameBytes + 8 + (bounds.count + 1) * 8

    /// The name of the metric and its labels, in OpenMetrics syntax, truncated to 120 bytes. Empty when the histogram
    /// is unused.
    public internal(set) var name: String {
        get {
            let count = min(max(0, memory.load(as: Int.self)), Histogram.nameBytes)
            return String(decoding: UnsafeRawBufferPointer(start: memory + 8, count: count), as: UTF8.self)
        }
        nonmutating set {
            let count = min(newValue.utf8.count, Histogram.nameBytes)
            UnsafeMutableRawBufferPointer(start: memory + 8, count: count).copyBytes(from: newValue.utf8.prefix(count))
            memory.storeBytes(of: count, as: Int.self)
        }
    }

    // Sound: the memory belongs to a slot, whose parts are word-aligned.
    private var words: UnsafeMutablePointer<Int> {
        (memory + 8 + Histogram.nameBytes).assumingMemoryBound(to: Int.self)
    }

    /// The sum of all observed durations, in nanoseconds.
    public var sum: Int { words[0] }

    /// The number of observations in each bucket, not cumulative.
    public var counts: [Int] { (0...Histogram.bounds.count).map { words[1 + $0] } }

    /// Records one observation.
    func observe(_ nanoseconds: Int) {
        words[0] += nanoseconds
        var bucket = 0
        while bucket < Histogram.bounds.count, nanoseconds > Histogram.bounds[bucket] { bucket += 1 }
        words[1 + bucket] += 1
    }

    /// Adds the sum and the counts of another histogram to this one.
    func add(_ other: Histogram) { for index in 0..<Histogram.bounds.count + 2 { words[index] += other.words[index] } }
}
