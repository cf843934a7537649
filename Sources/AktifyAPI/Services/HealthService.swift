import ORM

/// Whether the application can do its work.
public struct HealthService: Sendable {
    /// What the schema must be like; `nil` when nobody has said.
    let schema: SchemaCheck?
    /// Where the schema is, as the database says.
    public let versions: @Sendable () async throws -> Set<String>
    /// What is applied and breaks whom, as the database says; asked only when the schema is elsewhere than it was expected.
    let applied: @Sendable () async throws -> [String: String]

    /// Looks whether the database answers, and its schema is one that the application can work with.
    /// - Throws: `NotReady`, and what the database throws.
    public func check() async throws {
        let versions = try await versions()
        guard let schema, versions != schema.heads else { return }
        let state = schema.state(versions: versions, applied: try await applied())
        guard state != .ahead else { return }
        throw NotReady(versions: versions, heads: schema.heads, state: state)
    }
}

/// The schema is none that the application can work with.
public struct NotReady: Error, CustomStringConvertible {
    /// Where it is.
    let versions: Set<String>
    /// Where it must be, or past that.
    let heads: Set<String>
    /// Where it is, as the program sees it.
    public let state: SchemaCheck.State

    /// What is wrong, and what to do, in a sentence without a full stop.
    public var description: String {
        let place = versions.isEmpty ? "base" : versions.sorted().joined(separator: ", ")
        switch state {
        case .current, .ahead, .behind:
            return
                "the database's schema is at \(place), behind \(heads.sorted().joined(separator: ", ")): run aktify db upgrade"
        case .broken(let revisions):
            let reasons = revisions.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }.joined(separator: ", ")
            return "the database's schema has a newer revision that breaks this program: \(reasons). Update the program"
        case .unknown:
            return "the database's schema is at \(place), which this program does not know and cannot tell to build on "
                + "\(heads.sorted().joined(separator: ", ")): start the program that made it, or take it back with that one's "
                + "aktify db downgrade"
        }
    }
}

extension HealthService {
    /// Asks the tables that migrations keep account in; one that is not there says nothing.
    public init(_ database: Database, schema: SchemaCheck?) {
        self.init(schema: schema) {
            try await whenThere(else: []) {
                let result = try await database.read("SELECT version_num::text FROM alembic_version")
                return try Set(
                    (0..<result.count).map { index in
                        var row = result.row(index)
                        return try row.next(String.self)
                    })
            }
        } applied: {
            try await whenThere(else: [:]) {
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

/// What `body` returns, or `nothing` when it asks for a table that is not there (SQLSTATE 42P01).
private func whenThere<Value>(else nothing: Value, _ body: () async throws -> Value) async throws -> Value {
    do { return try await body() } catch let error as DatabaseError where error.state == "42P01" { return nothing }
}
