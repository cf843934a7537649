import ORM

/// Whether the application can do its work.
struct HealthService: Sendable {
    /// Where the schema must be: the heads of the revisions; `nil` when nobody has said.
    let heads: Set<String>?
    /// Where the schema is, as the database says.
    let versions: @Sendable () async throws -> Set<String>

    /// Looks whether the database answers, and its schema is where it must be.
    /// - Throws: `NotReady`, and what the database throws.
    func check() async throws {
        let versions = try await versions()
        guard let heads, versions != heads else { return }
        throw NotReady(versions: versions, heads: heads)
    }
}

/// The schema is not where it must be.
struct NotReady: Error {
    let versions: Set<String>
    let heads: Set<String>
}

extension HealthService {
    /// Asks the table that migrations keep account in.
    init(_ database: Database, heads: Set<String>?) {
        self.init(heads: heads) {
            let result = try await database.read("SELECT version_num::text FROM alembic_version")
            return try Set(
                (0..<result.count).map { index in
                    var row = result.row(index)
                    return try row.next(String.self)
                })
        }
    }
}
