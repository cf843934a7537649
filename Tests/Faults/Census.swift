import TestSupport

/// What a service at rest has.
struct Census {
    let processes: Int
    let masterDescriptors: Int
    let masterThreads: Int
    /// The most that any worker has.
    let descriptors: Int
    let threads: Int
    let memory: Int
    /// Connections to Postgres, of all workers.
    let connections: Int

    init(_ service: Service) {
        let all = Process.all(startedFrom: service.stack.link)
        let (master, workers) = (all.first { $0.pid == service.pid }, all.filter { $0.pid != service.pid })
        processes = all.count
        (masterDescriptors, masterThreads) = (master?.descriptors ?? 0, master?.threads ?? 0)
        descriptors = workers.map(\.descriptors).max() ?? 0
        threads = workers.map(\.threads).max() ?? 0
        memory = all.map(\.memory).max() ?? 0
        connections = service.stack.proxy.connections
    }

    /// Connections of each loop for lists that stream.
    private static let streams = 4

    /// What is more than there was at the beginning, in words. A worker may use all connections that it is allowed, and a
    /// process may keep some memory for later.
    func excess(over before: Census, _ plan: Plan) -> [String] {
        let limits: [(String, Int, Int)] = [
            ("processes", processes, plan.workers + 1),
            ("descriptors of the master", masterDescriptors, before.masterDescriptors),
            ("threads of the master", masterThreads, before.masterThreads),
            ("descriptors of a worker", descriptors, before.descriptors + plan.connections + Census.streams),
            ("threads of a worker", threads, before.threads),
            ("MB of memory of a process", memory >> 20, max(96, before.memory >> 20 + 48)),
            ("connections to Postgres", connections, plan.workers * (plan.connections + Census.streams)),
        ]
        return limits.filter { $1 > $2 }.map { "\($1) \($0), not \($2)" }
    }
}
