import ORM

/// Inserts the sample campaigns if the table is empty. A lock makes concurrent calls wait, so that only one call
/// inserts rows.
/// - Returns: the number of inserted campaigns.
/// - Throws: `DatabaseError`.
public func seed(_ database: Database) async throws -> Int {
    try await database.transaction { inner in
        try await inner.execute("LOCK TABLE \(Campaign.definition) IN SHARE ROW EXCLUSIVE MODE")
        guard try await inner.first(Campaign.all.limit(1)) == nil else { return 0 }
        return try await inner.insert(many: (1...3).map { ColumnValues<Campaign>(name: "Campaign \($0)") }).count
    }
}
