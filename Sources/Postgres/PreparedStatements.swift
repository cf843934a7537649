import SQL

/// The key of a prepared statement: its text and the types of its parameters.
struct PreparedKey: Hashable {
    let text: String
    let types: [UInt32]

    func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// Whether a statement has the text and the parameter types of this key.
    func matches(_ statement: Statement) -> Bool {
        text == statement.text && types.elementsEqual(statement.bindings.parameters.lazy.map(\.type))
    }
}

/// The prepared statements of a connection, in a cache with least-recently-used eviction.
struct PreparedStatements {
    private var entries: [PreparedKey: (number: Int, name: [CChar], lastUse: Int)] = [:]
    /// The prepared statement that was used last. Usually the next statement is the same, and is found without hashing
    /// its text.
    private var latest: (key: PreparedKey, name: [CChar])?
    private var uses = 0
    private let capacity: Int

    /// Creates an empty cache.
    /// - Parameter capacity: The maximum number of prepared statements.
    init(capacity: Int = 256) { self.capacity = capacity }

    /// Returns the name under which a statement is prepared; `nil` if it is not prepared.
    mutating func name(of statement: Statement) -> [CChar]? {
        if let latest, latest.key.matches(statement) { return latest.name }
        if let latest { use(latest.key) }
        let key = PreparedKey(statement)
        latest = use(key).map { (key, $0) }
        return latest?.name
    }

    /// Records the use of a prepared statement.
    /// - Returns: The name of the prepared statement; `nil` if there is none with this key.
    @discardableResult
    private mutating func use(_ key: PreparedKey) -> [CChar]? {
        guard let index = entries.index(forKey: key) else { return nil }
        uses += 1
        entries.values[index].lastUse = uses
        return entries.values[index].name
    }

    /// Adds a statement and returns a name for it that was never used before on the connection.
    mutating func add(_ key: PreparedKey) -> [CChar] {
        uses += 1
        let name = Array("s\(uses)".utf8CString)
        entries[key] = (uses, name, uses)
        return name
    }

    /// Removes the least recently used statement if the capacity is exceeded.
    /// - Returns: The name of the removed statement, which is to be deallocated on the server; `nil` if none was
    ///   removed.
    mutating func evict() -> String? {
        guard entries.count > capacity, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else {
            return nil
        }
        forget(oldest.key)
        return "s\(oldest.value.number)"
    }

    /// Removes a statement from the cache, so that the next use prepares the statement again.
    mutating func forget(_ key: PreparedKey) {
        entries[key] = nil
        latest = nil
    }

    /// Removes all statements.
    mutating func forgetAll() { (entries, latest) = ([:], nil) }
}

extension PreparedKey {
    init(_ statement: Statement) {
        self.init(text: statement.text, types: statement.bindings.parameters.map(\.type))
    }
}
