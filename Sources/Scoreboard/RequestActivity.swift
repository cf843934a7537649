import Glibc
import Synchronization

/// A request that is under way, as others may look at it: what it is, and what it waits for.
///
/// Sound as `@unchecked Sendable`: it is written on its loop's thread only. Readers of the shared memory see a record when its first
/// word is set, which is done last.
public final class RequestActivity: @unchecked Sendable {
    /// Holds what a task works for: one request after the other, each with an activity of its own.
    ///
    /// Sound as `@unchecked Sendable`: it is touched on its loop's thread only.
    public final class Holder: @unchecked Sendable {
        /// The present request's.
        public var activity: RequestActivity?

        /// Makes one that holds nothing.
        public init() {}
    }

    /// Where the present task finds what it works for. It is bound once for a task, not for each request.
    @TaskLocal public static var holder: Holder?

    /// What the present task works for.
    public static var current: RequestActivity? { holder?.activity }

    /// What a request does, or waits for.
    public enum Phase: Int, Sendable {
        case reading = 1
        case working, waitingForConnection, inQuery, writing
    }

    /// Of one slot, how many requests can be looked at at a time.
    static let places = 64

    /// Where things stand in a record.
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

    /// Makes one that writes to `record`, or to memory of its own, which nobody else sees.
    init(_ record: UnsafeMutableRawPointer?, _ metrics: WorkerMetrics) {
        self.record = record ?? .allocate(byteCount: RequestActivity.recordBytes, alignment: 8)
        ownsRecord = record == nil
        self.metrics = metrics
        self.record.initializeMemory(as: UInt8.self, repeating: 0, count: RequestActivity.recordBytes)
    }

    deinit { if ownsRecord { record.deallocate() } }

    // MARK: Writing

    /// When it began, in nanoseconds of the monotonic clock; 0 when nothing is under way.
    public private(set) var began: Int {
        get { record.load(as: Int.self) }
        set {
            // Sound: a word of a record that is aligned to words, which has this one type everywhere.
            record.assumingMemoryBound(to: Atomic<Int>.self).pointee.store(newValue, ordering: .releasing)
        }
    }

    /// Nanoseconds that it has waited for the database, with the waiting for a connection.
    public private(set) var database: Int {
        get { record.load(fromByteOffset: Offset.database, as: Int.self) }
        set { record.storeBytes(of: newValue, toByteOffset: Offset.database, as: Int.self) }
    }

    /// What it does now.
    public var phase: Phase {
        get { Phase(rawValue: record.load(fromByteOffset: Offset.phase, as: Int.self)) ?? .working }
        set { record.storeBytes(of: newValue.rawValue, toByteOffset: Offset.phase, as: Int.self) }
    }

    /// Notes that a request begins to arrive.
    func begin(at time: Int) {
        database = 0
        phase = .reading
        for field in [Offset.id, Offset.method, Offset.target, Offset.query] {
            record.storeBytes(of: 0, toByteOffset: field, as: Int.self)
        }
        began = time
    }

    /// Notes what it is, now that it has arrived.
    public func arrived(method: String, target: String, id: String, bodyBytes: Int) {
        write(method, at: Offset.method, capacity: 16)
        write(target, at: Offset.target, capacity: 192)
        write(id, at: Offset.id, capacity: 64)
        record.storeBytes(of: bodyBytes, toByteOffset: Offset.bodyBytes, as: Int.self)
        phase = .working
    }

    func end() { began = 0 }

    func copy(_ other: RequestActivity) {
        let word = MemoryLayout<Int>.size
        (record + word).copyMemory(from: other.record + word, byteCount: RequestActivity.recordBytes - word)
        began = other.began
    }

    /// Notes that a statement is about to be sent.
    public func beginQuery(_ text: String) {
        write(text, at: Offset.query, capacity: 176)
        phase = .inQuery
    }

    /// Notes that it has its result, or has failed.
    /// - Parameters:
    ///   - waited: nanoseconds until a connection was there.
    ///   - executed: nanoseconds from then on.
    public func endQuery(waited: Int, executed: Int) {
        phase = .working
        database += waited + executed
        metrics.queries?.observe(executed)
        metrics.waits?.observe(waited)
    }

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

    /// What others see of it.
    public struct Report: Hashable, Sendable {
        /// When it began, in nanoseconds of the monotonic clock.
        public let began: Int
        /// What it does.
        public let phase: Phase
        /// What names it.
        public let id: String
        /// The method, empty when it has not arrived.
        public let method: String
        /// The target, as far as there is room.
        public let target: String
        /// The statement that it last sent, without values, as far as there is room.
        public let query: String
        /// The size of its body, in bytes.
        public let bodyBytes: Int
        /// Microseconds that statements which have ended took.
        public let databaseMicroseconds: Int
    }

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
