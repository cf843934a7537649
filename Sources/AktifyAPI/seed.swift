import ORM

/// Adds the sample campaigns to an empty table; whoever comes at the same time waits, and adds none.
/// - Returns: how many were added.
/// - Throws: `DatabaseError`.
public func seed(_ database: Database) async throws -> Int {
    try await database.transaction { inner in
        try await inner.execute("LOCK TABLE \(Campaign.definition) IN SHARE ROW EXCLUSIVE MODE")
        guard try await inner.first(Campaign.all.limit(1)) == nil else { return 0 }
        return try await inner.insert(many: (1...3).map { ColumnValues<Campaign>(name: "Campaign \($0)") }).count
    }
}
