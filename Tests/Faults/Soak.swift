import Foundation
import TestSupport

/// A soak test: a steady load with reloads, with a sample of the idle service's resource usage after each cycle.
struct Soak {
    let stack: Stack
    let minutes: Double

    init(_ stack: Stack, minutes: Double) { (self.stack, self.minutes) = (stack, minutes) }

    private static let clients: [Behaviour] = [
        .reader, .reader, .reader, .writer, .writer, .aborter, .anything, .trickler, .pipeliner, .watcher,
    ]

    /// - Returns: whether no resource usage grows.
    func run() throws -> Bool {
        let plan = Plan(seed: 1, clients: Soak.clients, faults: [])
        let service = try Service(stack, plan)
        defer { service.stop() }
        guard service.isComplete(within: 10) else { return false }
        let began = now()
        var samples: [Sample] = []
        var statuses: [Int: Int] = [:]
        while now() - began < minutes * 60 || samples.count < 6, !isInterrupted.load(ordering: .relaxed) {
            statuses.merge(try cycle(service, seed: UInt64(samples.count)), uniquingKeysWith: +)
            samples.append(Sample(seconds: now() - began, service))
            say("\(samples[samples.count - 1])")
        }
        say("requests: " + statuses.sorted { $0.key < $1.key }.map { "\($1) x \($0)" }.joined(separator: ", "))
        let problems = Trend.problems(in: Array(samples.dropFirst(2))) + service.violations
        for problem in problems { say("  ✘ \(problem)") }
        let wrong = statuses.filter { $0.key >= 500 && $0.key != 503 }
        if !wrong.isEmpty { say("  ✘ inexcusable responses: \(wrong)") }
        return problems.isEmpty && wrong.isEmpty
    }

    /// Runs a cycle of about twenty seconds: load with a reload in the middle, then idle time until kept-alive
    /// connections are closed.
    /// - Returns: the number of requests by response status; 0 stands for no response.
    private func cycle(_ service: Service, seed: UInt64) throws -> [Int: Int] {
        try stack.cluster.reset()
        let load = Load(stack, Soak.clients, seed: seed, keeps: false)
        sleepUnlessInterrupted(8)
        service.signal(SIGHUP)
        sleepUnlessInterrupted(9)
        if !load.stop() { service.violation("clients wait for responses forever") }
        _ = service.isComplete(within: 15)
        _ = RecoveryCheck(service: service).problems()
        pause(2)
        waitFor(10) { Process.all(startedFrom: stack.link).count == service.plan.workers + 1 }
        return load.ledger.statuses
    }

    private func sleepUnlessInterrupted(_ seconds: Double) {
        waitFor(seconds) { isInterrupted.load(ordering: .relaxed) }
    }
}

/// The resource usage of the master and the workers at a point in time.
struct Sample: CustomStringConvertible {
    let seconds: Double
    let values: [(name: String, value: Double)]

    init(seconds: Double, _ service: Service) {
        let all = Process.all(startedFrom: service.stack.link)
        let (master, workers) = (all.filter { $0.pid == service.pid }, all.filter { $0.pid != service.pid })
        func megabytes(_ processes: [Process]) -> Double { Double(processes.reduce(0) { $0 + $1.memory }) / 1_048_576 }
        func count(_ processes: [Process], _ number: KeyPath<Process, Int>) -> Double {
            Double(processes.reduce(0) { $0 + $1[keyPath: number] })
        }
        self.seconds = seconds
        values = [
            ("MB of the master", megabytes(master)), ("MB of the workers", megabytes(workers)),
            ("descriptors of the master", count(master, \.descriptors)),
            ("descriptors of the workers", count(workers, \.descriptors)),
            ("threads of the master", count(master, \.threads)), ("threads of the workers", count(workers, \.threads)),
            ("connections to Postgres", Double(service.stack.proxy.connections)),
        ]
    }

    var description: String {
        "\(Int(seconds)) s: " + values.map { "\($0.value.rounded2) \($0.name)" }.joined(separator: ", ")
    }
}

/// Linear trends of samples (least squares).
enum Trend {
    /// Describes the values that grow. A count grows if each sample of the second half exceeds all of the first half.
    /// Memory grows if its trend exceeds 3 MB for the master, or 8 MB for all workers together, over the whole test:
    /// the amount of freed memory that the allocator retains varies by as much.
    static func problems(in samples: [Sample]) -> [String] {
        guard let first = samples.first, let last = samples.last, samples.count > 1 else { return ["too few samples"] }
        return first.values.indices.compactMap { index in
            let (name, values) = (first.values[index].name, samples.map { $0.values[index].value })
            let slope = slope(samples.map(\.seconds), values)
            say("\((slope * 3600).rounded2) \(name) an hour")
            let growth = slope * (last.seconds - first.seconds)
            let half = values.count / 2
            let allowed = name.hasPrefix("MB") ? (name.hasSuffix("workers") ? 8.0 : 3) : 0
            let grows =
                name.hasPrefix("MB")
                ? growth > allowed : (values.suffix(half).min() ?? 0) > (values.prefix(half).max() ?? 0)
            return grows ? "\(name) grow from \(values[0].rounded2) to \(values[values.count - 1].rounded2)" : nil
        }
    }

    private static func slope(_ times: [Double], _ values: [Double]) -> Double {
        let count = Double(times.count)
        let (time, value) = (times.reduce(0, +) / count, values.reduce(0, +) / count)
        let spread = times.reduce(0) { $0 + ($1 - time) * ($1 - time) }
        return spread == 0 ? 0 : zip(times, values).reduce(0) { $0 + ($1.0 - time) * ($1.1 - value) } / spread
    }
}
