import Glibc

/// One worker's part of the scoreboard: numbers, histograms, and the requests in progress.
public struct Slot: @unchecked Sendable {
    // Sound: it points into the memory of the scoreboard, which `owner` keeps alive.
    private let memory: UnsafeMutableRawPointer
    private let owner: SharedScoreboard

    init(memory: UnsafeMutableRawPointer, owner: SharedScoreboard) { (self.memory, self.owner) = (memory, owner) }

    /// The numbers in a slot: counters and gauges.
    public enum Number: Int, CaseIterable, Sendable {
        /// When the worker started, in seconds since 1970.
        case started
        /// The id of the thread that runs the worker's event loop (gettid(2)).
        case thread
        /// The number of connections accepted.
        case accepted
        /// The number of requests begun.
        case requests
        /// The number of requests in progress.
        case active
        /// The highest number of requests in progress at a time.
        case peakActive
        /// The last time that the event loop was seen running, in nanoseconds of the monotonic clock.
        case lastTurn
        /// The worker's resident memory, in bytes.
        case memory
        /// The worker's highest resident memory so far, in bytes.
        case peakMemory
        /// The number of open database connections.
        case poolOpen
        /// The number of leased database connections.
        case poolLeased
        /// The number of idle database connections.
        case poolIdle
        /// The number of tasks that wait for a database connection.
        case poolWaiting
        /// The number of replicas configured for reads.
        case replicas
        /// The number of replicas that reads are currently sent to.
        case replicasInUse
        /// The number of reads sent to a replica.
        case replicaReads
        /// The number of reads sent to a replica that were retried on another server.
        case replicaRetries
        /// The number of requests logged as slow.
        case slow
        /// 1 when the last check of the database got no response, otherwise 0.
        case databaseUnreachable
        /// The number of migration revisions that had not been applied to the database at the last check.
        case pendingRevisions
    }

    private static let headBytes = 256
    private static let histogramsBytes = Histogram.capacity * Histogram.bytes
    static let size = headBytes + histogramsBytes + RequestActivity.capacity * RequestActivity.recordBytes

    /// The current value of a number.
    public subscript(_ number: Number) -> Int {
        get { words[number.rawValue] }
        nonmutating set { words[number.rawValue] = newValue }
    }

    // Sound: the memory is page-aligned, and the size of each part is a multiple of the word size.
    private var words: UnsafeMutablePointer<Int> { memory.assumingMemoryBound(to: Int.self) }

    func histogram(_ index: Int) -> Histogram {
        Histogram(memory: memory + Slot.headBytes + index * Histogram.bytes)
    }

    func record(_ index: Int) -> UnsafeMutableRawPointer {
        memory + Slot.headBytes + Slot.histogramsBytes + index * RequestActivity.recordBytes
    }

    /// The histograms in use.
    public var histograms: [Histogram] {
        (0..<Histogram.capacity).lazy.map { histogram($0) }.filter { !$0.name.isEmpty }
    }

    /// The requests in progress, at most 64.
    public var activeRequests: [RequestActivity.Report] {
        (0..<RequestActivity.capacity).compactMap { RequestActivity.report(record($0)) }
    }

    func clear() { memset(memory, 0, Slot.size) }

    /// Adds the counters and histograms of another slot to this one. Each peak becomes the higher of the two slots'
    /// peaks.
    func add(_ other: Slot) {
        for number in [Number.accepted, .requests, .slow, .replicaReads, .replicaRetries] {
            self[number] += other[number]
        }
        for number in [Number.peakActive, .peakMemory] { self[number] = max(self[number], other[number]) }
        for histogram in other.histograms {
            (self.histogram(named: histogram.name) ?? self.histogram(named: WorkerMetrics.otherName))?.add(histogram)
        }
    }

    /// Returns the histogram with this name, and creates it when there is none; `nil` when all histograms are in use.
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
