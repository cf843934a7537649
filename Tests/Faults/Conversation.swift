/// Follows the protocol between a worker and Postgres on one connection (Postgres manual, chapter 55), to detect
/// whether a read shares the connection with a write. A write must have the connection to itself, until its
/// ReadyForQuery.
struct Conversation {
    private var client = Messages(hasStartup: true)
    private var server = Messages(hasStartup: false)
    /// The first 60 bytes of the SQL of each prepared statement, by statement name.
    private var statements: [String: String] = [:]
    /// The statements that were sent after the last Sync.
    private var batch: [String] = []
    /// The earlier batches, each ended by a Sync, that wait for a ReadyForQuery.
    private var unanswered: [[String]] = []
    /// Descriptions of reads and writes that shared the connection.
    private(set) var interleavings: [String] = []

    mutating func sent(_ bytes: [UInt8]) {
        for (type, content) in client.add(bytes, keeping: [80, 66, 83]) {
            switch type {
            case 80: parse(content)  // Parse
            case 66: bind(content)  // Bind
            default: sync()
            }
        }
    }

    mutating func received(_ bytes: [UInt8]) {
        for _ in server.add(bytes, keeping: [90]) {  // ReadyForQuery
            if !unanswered.isEmpty { unanswered.removeFirst() }
        }
    }

    private mutating func parse(_ content: [UInt8]) {
        let parts = content.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2 else { return }
        statements[String(decoding: parts[0], as: UTF8.self)] = String(decoding: parts[1].prefix(60), as: UTF8.self)
    }

    private mutating func bind(_ content: [UInt8]) {
        let parts = content.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, let text = statements[String(decoding: parts[1], as: UTF8.self)] else { return }
        let underWay = unanswered.joined() + batch
        if let other = underWay.first(where: { isWrite($0) != isWrite(text) }), isOurs(text), isOurs(other) {
            interleavings.append("\"\(text)\" was sent while \"\(other)\" was in progress on the same connection")
        }
        batch.append(text)
    }

    private mutating func sync() {
        unanswered.append(batch)
        batch = []
    }

    private func isWrite(_ text: String) -> Bool { text.hasPrefix("INSERT") }
    private func isOurs(_ text: String) -> Bool { text.hasPrefix("INSERT") || text.hasPrefix("SELECT id, name") }
}

/// Splits a byte stream into messages, and returns those of some types.
private struct Messages {
    private var rest: [UInt8] = []
    private var isStarting: Bool

    init(hasStartup: Bool) { isStarting = hasStartup }

    mutating func add(_ bytes: [UInt8], keeping types: [UInt8]) -> [(type: UInt8, content: [UInt8])] {
        rest += bytes
        var messages: [(UInt8, [UInt8])] = []
        var start = 0
        while true {
            let head = isStarting ? 0 : 1
            guard rest.count >= start + head + 4 else { break }
            let size = rest[(start + head)..<(start + head + 4)].reduce(0) { $0 << 8 | Int($1) }
            guard size >= 4, rest.count >= start + head + size else { break }
            if !isStarting, types.contains(rest[start]) {
                messages.append((rest[start], Array(rest[(start + 5)..<(start + 1 + size)])))
            }
            start += head + size
            isStarting = false
        }
        rest.removeFirst(start)
        return messages
    }
}
