import Glibc
import Synchronization

/// The state of a request in progress: the request's properties, and what the request is doing or waiting for. The
/// state is stored as a record in the worker's `Slot`, in shared memory that observers such as the master read.
///
/// The conformance to `@unchecked Sendable` is sound: an activity is written only on the thread of its event loop.
/// Observers ignore a record while its first word, `began`, is zero; `began` is set last.
public final class RequestActivity: @unchecked Sendable {
    /// Holds the activity of the request that a task is currently handling. A task handles several requests in
    /// succession, each with its own activity.
    ///
    /// The conformance to `@unchecked Sendable` is sound: a holder is used only on the thread of its event loop.
    public final class Holder: @unchecked Sendable {
        /// The activity of the current request.
        public var activity: RequestActivity?

        /// Creates an empty holder.
        public init() {}
    }

    /// The holder of the current task. It is bound once for each task, not for each request.
    @TaskLocal public static var holder: Holder?

    /// The activity of the request that the current task is handling, if any.
    public static var current: RequestActivity? { holder?.activity }

    /// What a request is doing or waiting for.
    public enum Phase: Int, Sendable {
        /// The request is being received.
        case reading = 1
        /// The application is handling the request.
        case working
        /// The request is waiting for a database connection.
        case waitingForConnection
        /// A query is running in the database.
        case inQuery
        /// The response is being sent.
        case writing
    }

    /// The number of records in a `Slot`, one for each request in progress. Requests in excess of this number are not
    /// visible to observers.
    static let capacity = 64

    /// The byte offsets of the fields in a record.
    private enum Offset {
        static let began = 0
        static let phase = 8
        static let bodyBytes = 16
        static let database = 24
        static let id = 32
        static let method = 104
        static let target = 128
        static let query = 328
    }
    static let recordBytes = 512

    private let record: UnsafeMutableRawPointer
    private let ownsRecord: Bool
    private unowned let metrics: WorkerMetrics

    /// Creates an activity that writes to `record` or, when `record` is `nil`, to private memory, which is not visible
    /// to observers.
    init(_ record: UnsafeMutableRawPointer?, _ metrics: WorkerMetrics) {
        self.record = record ?? .allocate(byteCount: RequestActivity.recordBytes, alignment: 8)
        ownsRecord = record == nil
        self.metrics = metrics
        self.record.initializeMemory(as: UInt8.self, repeating: 0, count: RequestActivity.recordBytes)
    }

    /// Whether observers can see the activity.
    var isShared: Bool { !ownsRecord }

    deinit { if ownsRecord { record.deallocate() } }

    // MARK: Writing

    /// When the request began, in nanoseconds of the monotonic clock; 0 when no request is in progress.
    public private(set) var began: Int {
        get { record.load(as: Int.self) }
        set {
            // Sound: records are word-aligned, and this word is accessed as this type everywhere.
            record.assumingMemoryBound(to: Atomic<Int>.self).pointee.store(newValue, ordering: .releasing)
        }
    }

    /// The time that the request has waited for the database, in nanoseconds, including the time to get a connection.
    public private(set) var databaseTime: Int {
        get { record.load(fromByteOffset: Offset.database, as: Int.self) }
        set { record.storeBytes(of: newValue, toByteOffset: Offset.database, as: Int.self) }
    }

    /// What the request is doing now.
    public var phase: Phase {
        get { Phase(rawValue: record.load(fromByteOffset: Offset.phase, as: Int.self)) ?? .working }
        set { record.storeBytes(of: newValue.rawValue, toByteOffset: Offset.phase, as: Int.self) }
    }

    /// Records that a request has begun to arrive.
    func begin(at time: Int) {
        databaseTime = 0
        phase = .reading
        for field in [Offset.id, Offset.method, Offset.target, Offset.query, Offset.bodyBytes] {
            record.storeBytes(of: 0, toByteOffset: field, as: Int.self)
        }
        began = time
    }

    /// Records the properties of the request after it has been received.
    public func arrived(method: String, target: String, id: String, bodyBytes: Int) {
        write(method, at: Offset.method, capacity: 16)
        write(target, at: Offset.target, capacity: 192)
        write(id, at: Offset.id, capacity: 64)
        record.storeBytes(of: bodyBytes, toByteOffset: Offset.bodyBytes, as: Int.self)
        phase = .working
    }

    /// Records that the request has ended, so that the record is no longer visible to observers.
    func end() { began = 0 }

    /// Copies all fields of another activity to this one.
    func copy(_ other: RequestActivity) {
        let word = MemoryLayout<Int>.size
        (record + word).copyMemory(from: other.record + word, byteCount: RequestActivity.recordBytes - word)
        began = other.began
    }

    /// Records that a statement is about to be sent to the database.
    public func beginQuery(_ text: String) {
        write(text, at: Offset.query, capacity: 176)
        phase = .inQuery
    }

    /// Records that a statement has succeeded or failed.
    /// - Parameters:
    ///   - waited: The time until a database connection was available, in nanoseconds.
    ///   - executed: The time from then until the result arrived, in nanoseconds.
    public func endQuery(waited: Int, executed: Int) {
        phase = .working
        databaseTime += waited + executed
        metrics.queries?.observe(executed)
        metrics.waits?.observe(waited)
    }

    /// Writes a string, truncated to `capacity` bytes of UTF-8, after a word with the number of bytes.
    private func write(_ text: String, at offset: Int, capacity: Int) {
        var text = text
        let count = text.withUTF8 { bytes in
            let count = min(bytes.count, capacity)
            if let start = bytes.baseAddress { (record + offset + 8).copyMemory(from: start, byteCount: count) }
            return count
        }
        record.storeBytes(of: count, toByteOffset: offset, as: Int.self)
    }

    // MARK: Reading

    /// A snapshot of a request's activity.
    public struct Report: Hashable, Sendable {
        /// When the request began, in nanoseconds of the monotonic clock.
        public let began: Int
        /// What the request is doing.
        public let phase: Phase
        /// The request id.
        public let id: String
        /// The request method; empty when the request has not been received completely.
        public let method: String
        /// The request target, possibly truncated.
        public let target: String
        /// The text of the last statement that was sent, without its parameter values, possibly truncated.
        public let query: String
        /// The size of the request body, in bytes.
        public let bodyBytes: Int
        /// The total time of the statements that have ended, in microseconds, including the time to get a connection.
        public let databaseMicroseconds: Int
    }

    /// A snapshot of the request in progress, as observers see it; `nil` when there is none.
    public var report: Report? { RequestActivity.report(record) }

    /// Returns a snapshot of the request in a record; `nil` when the record is unused.
    static func report(_ record: UnsafeMutableRawPointer) -> Report? {
        // Sound: as in `began`.
        let began = record.assumingMemoryBound(to: Atomic<Int>.self).pointee.load(ordering: .acquiring)
        guard began != 0 else { return nil }
        func number(_ offset: Int) -> Int { record.load(fromByteOffset: offset, as: Int.self) }
        func text(_ offset: Int, _ capacity: Int) -> String {
            let count = min(max(0, number(offset)), capacity)
            return String(
                decoding: UnsafeRawBufferPointer(start: record + offset + 8, count: count), as: UTF8.self)
        }
        return Report(
            began: began, phase: Phase(rawValue: number(Offset.phase)) ?? .working, id: text(Offset.id, 64),
            method: text(Offset.method, 16), target: text(Offset.target, 192), query: text(Offset.query, 176),
            bodyBytes: number(Offset.bodyBytes), databaseMicroseconds: number(Offset.database) / 1000)
    }
}
