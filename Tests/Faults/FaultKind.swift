import ArgumentParser

/// The kinds of faults.
enum FaultKind: String, CaseIterable, ExpressibleByArgument, Sendable {
    // Postgres.
    case terminate, restartFast, restartImmediate, stopAndStart, freezeBackends, freezePostmaster
    case lockWrites, lockAll, alterTable, exhaustConnections, fullDisk
    // The connections between the workers and Postgres.
    case delay, slowConnect, trickle, cut, blackHole, refuse
    // Processes.
    case killWorker, stopWorker, reload, reexecute, badReload, more, fewer, terminateMaster, fewDescriptors,
        littleMemory
    // nginx.
    case reloadNginx

    /// The maximum number of faults of this kind in a round.
    var repetitions: Int {
        switch self {
        case .terminate, .cut, .more, .fewer, .killWorker: 8
        case .terminateMaster, .restartFast, .restartImmediate, .stopAndStart, .fullDisk: 2
        default: 3
        }
    }

    /// The range of a fault's duration, in seconds.
    var duration: ClosedRange<Double> {
        switch self {
        case .lockWrites, .lockAll, .blackHole: 0.3...2.8
        case .freezeBackends, .freezePostmaster, .stopWorker: 0.2...1.5
        case .delay, .slowConnect, .trickle: 0.5...3
        default: 0.1...1
        }
    }

    /// The outcomes that a fault of this kind excuses.
    var excuses: Excuses {
        switch self {
        case .delay, .slowConnect, .alterTable: .busyWrites
        case .trickle: [.unavailable, .late, .errors]
        case .more, .fewer, .reload, .reexecute, .reloadNginx: []
        case .badReload: .errors
        case .terminate, .cut, .refuse, .restartFast, .restartImmediate, .stopAndStart, .exhaustConnections, .fullDisk:
            [.unavailable, .unknown, .errors]
        case .lockWrites: [.busyWrites, .lateWrites, .errors]
        case .lockAll, .freezeBackends, .freezePostmaster, .blackHole: [.unavailable, .unknown, .late, .errors]
        case .killWorker, .littleMemory: [.lostWorkers, .unavailable, .unknown, .errors]
        case .stopWorker: [.unavailable, .unknown, .late, .errors]
        case .fewDescriptors: [.lostWorkers, .unavailable, .unknown, .late, .errors]
        case .terminateMaster: [.unavailable, .errors]
        }
    }
}

/// The outcomes that the faults of a round excuse, in addition to the expected responses.
struct Excuses: OptionSet {
    let rawValue: Int
    /// 503 to a write, because other writes are queued before it.
    static let busyWrites = Self(rawValue: 1)
    /// 504 to a write.
    static let lateWrites = Self(rawValue: 2)
    /// 503 to requests that need the database.
    static let unavailable = Self(rawValue: 4)
    /// 502 or 504 to a write with an unknown outcome.
    static let unknown = Self(rawValue: 8)
    /// 504 to requests that need the database.
    static let late = Self(rawValue: 16)
    /// Closed connections, and 502, 503 and 504 from nginx.
    static let lostWorkers = Self(rawValue: 32)
    /// Errors in the log.
    static let errors = Self(rawValue: 64)
}

/// A fault in a round.
struct Fault: CustomStringConvertible, Sendable {
    let kind: FaultKind
    /// The time at which the fault begins, in seconds after the start of the load.
    let start: Double
    /// The duration of the fault, in seconds. Kinds that happen at one moment ignore it.
    let seconds: Double
    /// The seed for random choices during the fault.
    let seed: UInt64

    var description: String { "\(kind.rawValue) at \(start.rounded2) for \(seconds.rounded2) s" }
}
