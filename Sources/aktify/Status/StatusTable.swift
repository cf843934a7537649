import Web

/// The status report as text, for terminals.
struct StatusTable {
    private let status: JSON
    private(set) var text = ""

    init(_ status: JSON) {
        self.status = status
        writeSummary()
        writeProcesses()
        writeRequests()
    }

    private mutating func writeSummary() {
        let uptime = Self.duration(status.integer("start since"))
        line("aktify \(status["version"]), up \(uptime), generation \(status["generation"])")
        line(
            "workers     \(status["total processes"]) of \(status["wanted processes"]), "
                + "\(status["active processes"]) active")
        line(
            "requests    \(status["accepted conn"]) total, \(status["active requests"]) in progress, "
                + "\(status["slow requests"]) slow")
        line(
            "queue       \(status["listen queue"]) of \(status["listen queue len"]), "
                + "\(status["max listen queue"]) at peak")
        line(
            "database    \(status["db pool in use"]) connections in use, \(status["db pool idle"]) idle, "
                + "\(status["db pool waiting"]) tasks waiting")
        if status.integer("replicas") > 0 {
            line(
                "replicas    \(status["replicas in use"]) of \(status["replicas"]) in use, "
                    + "\(status["replica reads"]) reads, \(status["replica retries"]) retried")
        }
        line(
            "reloads     \(status["reloads"]) done, \(status["failed reloads"]) failed"
                + (status["last reload"].isEmpty ? "" : "; last: \(status["last reload"])"))
        line(
            "exits       \(status["worker crashes"]) crashed, \(status["stuck workers"]) stuck, "
                + "\(status["recycled"]) recycled, \(status["respawns"]) respawned")
    }

    private mutating func writeProcesses() {
        line("")
        line(row(["PID", "STATE", "GENERATION", "UP", "REQUESTS", "ACTIVE", "MEMORY"], Self.processWidths))
        for process in status.list("processes") {
            let cells = [
                process["pid"], process["state"], process["generation"],
                Self.duration(process.integer("start since")), process["requests"], process["active requests"],
                "\(process.integer("rss") >> 20) MB",
            ]
            line(row(cells, Self.processWidths))
        }
    }

    private mutating func writeRequests() {
        let requests = status.list("requests in flight")
        guard !requests.isEmpty else { return }
        line("")
        line(row(["PID", "MS", "REQUEST", "PHASE"], Self.requestWidths))
        for request in requests.sorted(by: { $0.integer("request duration") > $1.integer("request duration") }) {
            let requestLine = request["request method"] + " " + request["request uri"]
            let cells = [
                request["pid"], "\(request.integer("request duration") / 1000)", requestLine, request["phase"],
            ]
            line(row(cells, Self.requestWidths))
        }
    }

    private static let processWidths = [9, 11, 12, 12, 12, 8, 10]
    private static let requestWidths = [9, 9, 32, 0]

    private mutating func line(_ line: String) { text += line + "\n" }

    private func row(_ cells: [String], _ widths: [Int]) -> String {
        var row = ""
        for (cell, width) in zip(cells, widths) {
            row += cell + String(repeating: " ", count: max(1, width - cell.count))
        }
        return String(row.reversed().drop { $0 == " " }.reversed())
    }

    private static func duration(_ seconds: Int) -> String {
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) d"
        }
    }
}

extension JSON {
    /// Returns the text of a member that is a string or a number; an empty text for other members, and when the member
    /// does not exist.
    subscript(key: String) -> String {
        guard case .object(let members) = self else { return "" }
        return switch members[key] {
        case .string(let text), .number(let text): text
        default: ""
        }
    }

    /// Returns an integer member; 0 when the member does not exist.
    func integer(_ key: String) -> Int { Int(self[key]) ?? 0 }

    /// Returns the elements of an array member; an empty array when the member does not exist.
    func list(_ key: String) -> [JSON] {
        guard case .object(let members) = self, case .array(let list) = members[key] else { return [] }
        return list
    }
}
