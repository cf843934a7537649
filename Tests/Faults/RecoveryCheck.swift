import TestSupport

/// Sends requests to every worker after the faults, to check that the service has recovered.
struct RecoveryCheck {
    let service: Service

    /// Sends bursts of requests until each worker has handled some, for at least half a second and at most three.
    /// - Returns: descriptions of the unexpected responses.
    func problems() -> [String] {
        let (before, began) = (answered(), now())
        var found: [String] = []
        repeat {
            found += burst()
            if found.count > 100 { break }
        } while now() - began < 0.5 || !hasReachedEachWorker(since: before) && now() - began < 3
        let counts = Dictionary(grouping: found) { $0 }.map { "\($1.count) x \($0)" }.sorted()
        return counts.isEmpty
            ? [] : ["\((now() - began + 2).rounded2) s after the last fault: " + counts.joined(separator: ", ")]
    }

    private func answered() -> [Int: Int] {
        let processes = service.stack.status()?["processes"] as? [[String: Any]] ?? []
        return Dictionary(
            processes.compactMap { process in
                (process["pid"] as? Int).map { ($0, process["requests"] as? Int ?? 0) }
            }
        ) { $1 }
    }

    private func hasReachedEachWorker(since before: [Int: Int]) -> Bool {
        answered().allSatisfy { $1 >= (before[$0] ?? 0) + 3 }
    }

    /// Opens many connections at the same time, so that a single worker does not accept all of them.
    private func burst() -> [String] {
        let routes: [Route] = [.one, .create, .list, .health, .ready]
        let callers = (0..<15).compactMap { index -> (Route, String, Caller)? in
            let (route, token) = (routes[index % routes.count], "calm-\(index)")
            guard let caller = try? Caller(service.stack, index % 4 == 3 ? .nginx : .fastCGI) else { return nil }
            _ = caller.send(Caller.bytes(route, token, caller.transport, keep: false))
            return (route, token, caller)
        }
        var found = callers.count < 15 ? ["no connection"] : []
        for (route, _, caller) in callers {
            guard case .answered(let answer) = caller.read(route) else {
                found.append("\(route) without a response")
                continue
            }
            if !route.expected.contains(answer.status) { found.append("\(route) \(answer.status)") }
        }
        return found
    }
}
