import TestSupport

/// The resources that an idle service uses.
struct ResourceUsage {
    let processes: Int
    let masterDescriptors: Int
    let masterThreads: Int
    /// The number of open descriptors of the worker that has the most.
    let descriptors: Int
    let threads: Int
    let memory: Int
    /// The number of connections to Postgres, of all workers.
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

    /// The maximum number of Postgres connections that an event loop opens to stream lists, besides its regular ones.
    private static let streams = 4

    /// Describes the resources whose usage exceeds its limit. A worker may use all its allowed connections, and a
    /// process may retain some memory. The other limits are the usage in `before`, and the planned number of processes.
    func excess(over before: ResourceUsage, _ plan: Plan) -> [String] {
        let limits: [(String, Int, Int)] = [
            ("processes", processes, plan.workers + 1),
            ("descriptors of the master", masterDescriptors, before.masterDescriptors),
            ("threads of the master", masterThreads, before.masterThreads),
            ("descriptors of a worker", descriptors, before.descriptors + plan.connections + ResourceUsage.streams),
            ("threads of a worker", threads, before.threads),
            ("MB of memory of a process", memory >> 20, max(96, before.memory >> 20 + 48)),
            ("connections to Postgres", connections, plan.workers * (plan.connections + ResourceUsage.streams)),
        ]
        return limits.filter { $1 > $2 }.map { "\($1) \($0), not \($2)" }
    }
}
