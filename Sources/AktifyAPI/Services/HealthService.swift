import ORM

/// Checks whether the application is ready to handle requests.
public struct HealthService: Sendable {
    /// The schema revisions to compare with the database; `nil` skips the comparison, but not the check that the
    /// database responds.
    let schema: SchemaCheck?
    /// Returns the current revisions of the database's schema: the rows of `alembic_version`.
    public let versions: @Sendable () async throws -> Set<String>
    /// Returns all applied revisions, each with the reason why the revision breaks older programs, or `""` when it does
    /// not. The closure is called only when the schema is not at the expected heads.
    let applied: @Sendable () async throws -> [String: String]

    /// Checks that the database responds, and that the schema of the database is compatible with the application.
    /// - Throws: `NotReady`, and the errors of the database.
    public func check() async throws {
        let versions = try await versions()
        guard let schema, versions != schema.heads else { return }
        let state = schema.state(versions: versions, applied: try await applied())
        guard state != .ahead else { return }
        throw NotReady(versions: versions, heads: schema.heads, state: state)
    }
}

/// The error that is thrown when the schema of the database is incompatible with the application.
public struct NotReady: Error, CustomStringConvertible {
    /// The current revisions of the database's schema.
    let versions: Set<String>
    /// The head revisions that the program needs.
    let heads: Set<String>
    /// The state of the schema in relation to the program.
    public let state: SchemaCheck.State

    /// The problem and its remedy, as one or two sentences, the last of which has no full stop.
    public var description: String {
        let current = versions.isEmpty ? "base" : versions.sorted().joined(separator: ", ")
        let expected = heads.sorted().joined(separator: ", ")
        switch state {
        case .current, .ahead, .behind:
            return "the database's schema is at \(current), behind \(expected): run aktify db upgrade"
        case .broken(let revisions):
            let reasons = revisions.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }.joined(separator: ", ")
            return "the database's schema has a newer revision that breaks this program: \(reasons). Update the program"
        case .unknown:
            return
                "the database is at revision \(current), which this program does not know and which might not descend "
                + "from \(expected): run the release that applied it, or revert it with that release's "
                + "aktify db downgrade"
        }
    }
}

extension HealthService {
    /// Creates a service that reads the state of the schema from the tables that migrations maintain. A missing table
    /// counts as empty.
    public init(_ database: Database, schema: SchemaCheck?) {
        self.init(schema: schema) {
            try await ifTableExists(else: []) {
                let result = try await database.read("SELECT version_num::text FROM alembic_version")
                return try Set(
                    (0..<result.count).map { index in
                        var row = result.row(index)
                        return try row.next(String.self)
                    })
            }
        } applied: {
            try await ifTableExists(else: [:]) {
                let result = try await database.read("SELECT revision, breaking FROM migration_revision")
                let pairs = try (0..<result.count).map { index in
                    var row = result.row(index)
                    return (try row.next(String.self), try row.next(String.self))
                }
                return Dictionary(uniqueKeysWithValues: pairs)
            }
        }
    }
}

/// Returns the result of `body`, or `nothing` when `body` queries a table that does not exist (SQLSTATE 42P01).
private func ifTableExists<Value>(else nothing: Value, _ body: () async throws -> Value) async throws -> Value {
    do { return try await body() } catch let error as DatabaseError where error.state == "42P01" { return nothing }
}
