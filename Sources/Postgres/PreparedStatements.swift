import SQL

/// What tells prepared statements apart: their text, and the types of their parameters.
struct PreparedKey: Hashable {
    let text: String
    let types: [UInt32]

    func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// Whether it is a statement's.
    func isKey(of statement: Statement) -> Bool {
        text == statement.text && types.elementsEqual(statement.bindings.parameters.lazy.map(\.type))
    }
}

/// The names of what is prepared on a connection: the ones that were used last, up to a number.
struct PreparedStatements {
    private var entries: [PreparedKey: (number: Int, name: [CChar], lastUse: Int)] = [:]
    /// The one that was used last: as a rule, the next statement is the same, and finds its name without a hash of its text.
    private var latest: (key: PreparedKey, name: [CChar])?
    private var uses = 0
    private let capacity: Int

    /// - Parameter capacity: how many are kept.
    init(capacity: Int = 256) { self.capacity = capacity }

    /// The name of a statement that is prepared already.
    mutating func name(of statement: Statement) -> [CChar]? {
        if let latest, latest.key.isKey(of: statement) { return latest.name }
        if let latest { use(latest.key) }
        let key = PreparedKey(statement)
        latest = use(key).map { (key, $0) }
        return latest?.name
    }

    /// Notes that a statement is used now.
    /// - Returns: its name, when it is prepared.
    @discardableResult
    private mutating func use(_ key: PreparedKey) -> [CChar]? {
        guard let index = entries.index(forKey: key) else { return nil }
        uses += 1
        entries.values[index].lastUse = uses
        return entries.values[index].name
    }

    /// Gives a statement a name that none has had.
    mutating func add(_ key: PreparedKey) -> [CChar] {
        uses += 1
        let name = Array("s\(uses)".utf8CString)
        entries[key] = (uses, name, uses)
        return name
    }

    /// Takes out the one that has not been used for longest, when there are too many.
    /// - Returns: its name, to be given up in Postgres too.
    mutating func evict() -> String? {
        guard entries.count > capacity, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else {
            return nil
        }
        forget(oldest.key)
        return "s\(oldest.value.number)"
    }

    /// Forgets a statement, so that it is prepared again.
    mutating func forget(_ key: PreparedKey) {
        entries[key] = nil
        latest = nil
    }

    /// Forgets all.
    mutating func forgetAll() { (entries, latest) = ([:], nil) }
}

extension PreparedKey {
    init(_ statement: Statement) {
        self.init(text: statement.text, types: statement.bindings.parameters.map(\.type))
    }
}
