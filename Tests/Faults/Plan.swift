import TestSupport

/// The plan of a round, which is derived from its seed.
struct Plan {
    let seed: UInt64
    let workers: Int
    let connections: Int
    let clients: [Behaviour]
    let faults: [Fault]
    /// The duration of the load, in seconds.
    let seconds: Double

    /// Draws a random round.
    /// - Parameter only: the kinds of faults to use; if empty, they are drawn from all kinds.
    init(seed: UInt64, only: [FaultKind] = []) {
        var random = SeededGenerator(seed: seed)
        self.seed = seed
        workers = random.pick([1, 2, 2, 3])
        connections = random.pick([1, 2, 2, 2, 3])
        seconds = random.seconds(3...5)
        clients = random.pick(Plan.mixes)
        let kinds = only.isEmpty ? Plan.draw(&random) : only
        var faults: [Fault] = []
        for kind in kinds {
            for _ in 0..<Int.random(in: 1...kind.repetitions, using: &random) {
                faults.append(
                    Fault(
                        kind: kind, start: random.seconds(0.3...(seconds - 0.5)),
                        seconds: random.seconds(kind.duration), seed: random.next()))
            }
        }
        self.faults = faults.sorted { $0.start < $1.start }
    }

    /// Draws up to three different kinds of faults, some kinds with a greater weight.
    private static func draw(_ random: inout SeededGenerator) -> [FaultKind] {
        let often: [FaultKind] = [.terminate, .terminate, .delay, .slowConnect, .reload, .terminateMaster]
        let count = random.pick([0, 1, 1, 2, 2, 3])
        var kinds: [FaultKind] = []
        while kinds.count < count {
            let kind = random.pick(FaultKind.allCases + often)
            if !kinds.contains(kind) { kinds.append(kind) }
        }
        return kinds
    }

    /// Creates a specific round.
    init(seed: UInt64, connections: Int = 2, clients: [Behaviour], faults: [Fault]) {
        (self.seed, workers, self.connections) = (seed, 2, connections)
        (self.clients, self.faults) = (clients, faults)
        seconds = max(3, (faults.map { $0.start + $0.seconds }.max() ?? 0) + 1)
    }

    private static let mixes: [[Behaviour]] = [
        mix([.reader: 4, .writer: 4, .anything: 2, .trickler: 1, .staller: 1, .pipeliner: 1]),
        mix([.reader: 8, .writer: 8]),
        mix([.writer: 6]),
        mix([.burster: 8]),
        mix([.reader: 3, .writer: 3, .aborter: 4]),
        mix([.reader: 2, .writer: 2, .watcher: 2, .hostile: 4]),
    ]

    private static func mix(_ counts: [Behaviour: Int]) -> [Behaviour] {
        [.watcher] + Behaviour.allCases.flatMap { Array(repeating: $0, count: counts[$0] ?? 0) }
    }

    /// The outcomes that may occur in addition to the expected responses.
    var excuses: Excuses {
        var excuses = faults.reduce(into: Excuses()) { $0.formUnion($1.kind.excuses) }
        // Writes of clients that have disconnected are queued, too; with one connection, so are reads.
        if clients.contains(.aborter) { excuses.insert(.busyWrites) }
        if connections == 1, !excuses.isDisjoint(with: [.busyWrites, .lateWrites]) {
            excuses.formUnion([.unavailable, .late])
        }
        return excuses
    }

    func has(_ kinds: FaultKind...) -> Bool { faults.contains { kinds.contains($0.kind) } }

    var description: String {
        let counts = Dictionary(grouping: clients) { $0 }.map { "\($1.count) \($0.rawValue)" }.sorted()
        return """
            seed \(seed): \(workers) workers with \(connections) connections, \(seconds.rounded2) s of \
            \(counts.joined(separator: ", "))\(faults.isEmpty ? "; no faults" : "")
            """ + faults.map { "\n    \($0)" }.joined()
    }
}
