import Glibc

/// One worker's part of the scoreboard: numbers, histograms, and the requests that are under way.
public struct Slot: @unchecked Sendable {
    // Sound: it points into the scoreboard's memory, which `owner` keeps.
    private let memory: UnsafeMutableRawPointer
    private let owner: SharedScoreboard

    init(memory: UnsafeMutableRawPointer, owner: SharedScoreboard) { (self.memory, self.owner) = (memory, owner) }

    /// What is counted.
    public enum Number: Int, CaseIterable, Sendable {
        /// When the worker started, in seconds since 1970, and which thread its loop has.
        case started, thread
        /// Connections that were accepted.
        case accepted
        /// Requests that began, and how many are being answered, and the most that ever were at a time.
        case requests, active, mostActive
        /// When the loop last turned, in nanoseconds of the monotonic clock.
        case lastTurn
        /// Resident memory now, and the most that it ever was, in bytes.
        case memory, mostMemory
        /// Connections to the database that are open, leased and idle, and tasks that wait for one.
        case poolOpen, poolLeased, poolIdle, poolWaiting
        /// Replicas that reads may go to, and those of them that are read from now.
        case replicas, replicasInUse
        /// Reads that were sent to a replica, and those that another server had to answer.
        case replicaReads, replicaRetries
        /// Requests that took longer than they should; the master counts them.
        case slow
        /// Whether the database did not answer when it was last asked: 0 or 1.
        case withoutDatabase
        /// Revisions that the program has and the database lacked when it was last asked.
        case pendingRevisions
    }

    private static let headBytes = 256
    private static let histogramsBytes = Histogram.capacity * Histogram.bytes
    static let size = headBytes + histogramsBytes + RequestActivity.places * RequestActivity.recordBytes

    /// A number.
    public subscript(_ number: Number) -> Int {
        get { words[number.rawValue] }
        nonmutating set { words[number.rawValue] = newValue }
    }

    // Sound: the memory is aligned to pages, and each part's size is a multiple of a word's.
    private var words: UnsafeMutablePointer<Int> { memory.assumingMemoryBound(to: Int.self) }

    func histogram(_ index: Int) -> Histogram {
        Histogram(memory: memory + Slot.headBytes + index * Histogram.bytes)
    }

    func record(_ index: Int) -> UnsafeMutableRawPointer {
        memory + Slot.headBytes + Slot.histogramsBytes + index * RequestActivity.recordBytes
    }

    /// The histograms that are in use.
    public var histograms: [Histogram] {
        (0..<Histogram.capacity).lazy.map { histogram($0) }.filter { !$0.name.isEmpty }
    }

    /// The requests that are under way; of more than 64 at a time, that many.
    public var underWay: [RequestActivity.Report] { (0..<RequestActivity.places).compactMap { RequestActivity.report(record($0)) } }

    func clear() { memset(memory, 0, Slot.size) }

    /// Adds what another slot has counted.
    func add(_ other: Slot) {
        for number in [Number.accepted, .requests, .slow, .replicaReads, .replicaRetries] {
            self[number] += other[number]
        }
        for number in [Number.mostActive, .mostMemory] { self[number] = max(self[number], other[number]) }
        for histogram in other.histograms { self.histogram(named: histogram.name)?.add(histogram) }
    }

    /// The histogram of this name, which is made when there is none; `nil` when there is no place for it.
    func histogram(named name: String) -> Histogram? {
        for index in 0..<Histogram.capacity {
            let histogram = histogram(index)
            if histogram.name == name { return histogram }
            if histogram.name.isEmpty {
                histogram.name = name
                return histogram
            }
        }
        return nil
    }
}
