import Glibc

/// How long things took, counted by how long: in memory that others may read at any time.
public struct Histogram: @unchecked Sendable {
    // Sound: it is handed out by a slot, and not kept for longer than that one's scoreboard.
    private let memory: UnsafeMutableRawPointer

    init(memory: UnsafeMutableRawPointer) { self.memory = memory }

    /// The upper bounds of all buckets but the last, which has none, in nanoseconds.
    public static let bounds = [
        500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
        500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]

    /// How many histograms a slot has.
    static let capacity = 96
    private static let nameBytes = 120
    static let bytes = 8 + nameBytes + 8 + (bounds.count + 1) * 8

    /// What is measured, with its labels, as OpenMetrics writes them: at most 120 bytes.
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

    // Sound: the memory is a slot's, whose parts are aligned to words.
    private var words: UnsafeMutablePointer<Int> {
        (memory + 8 + Histogram.nameBytes).assumingMemoryBound(to: Int.self)
    }

    /// The sum of all, in nanoseconds.
    public var sum: Int { words[0] }

    /// How many there were in each bucket, and in none below it.
    public var counts: [Int] { (0...Histogram.bounds.count).map { words[1 + $0] } }

    /// Counts one.
    func observe(_ nanoseconds: Int) {
        words[0] += nanoseconds
        var bucket = 0
        while bucket < Histogram.bounds.count, nanoseconds > Histogram.bounds[bucket] { bucket += 1 }
        words[1 + bucket] += 1
    }

    func add(_ other: Histogram) { for place in 0..<Histogram.bounds.count + 2 { words[place] += other.words[place] } }
}
