import Foundation
import TestSupport
import Testing

@testable import Migrations

/// Random histories of a schema: each step is generated from the differences, applied, reverted and applied again.
@Suite struct RandomSchemaTests {
    /// To run more or other histories: `SCHEMA_HISTORIES=500 SEED=1 swift test --filter RandomSchemaTests`.
    private static let environment = ProcessInfo.processInfo.environment
    private static let seeds: [UInt64] = {
        let first = environment["SEED"].flatMap { UInt64($0) } ?? 1
        return (0..<(environment["SCHEMA_HISTORIES"].flatMap { UInt64($0) } ?? 25)).map { first &+ $0 }
    }()

    @Test func `any schema can be migrated to any other, and back`() throws {
        let problems = try SchemaTrial.run(in: try TestDatabase()) { trial in
            var problems: [String] = []
            for seed in Self.seeds {
                if let problem = try await Self.problem(seed, trial) { problems.append("SEED=\(seed): \(problem)") }
            }
            return problems
        }
        #expect(
            problems.isEmpty,
            "\(problems.count) of \(Self.seeds.count):\n\(problems.prefix(3).joined(separator: "\n\n"))")
    }

    private static func problem(_ seed: UInt64, _ trial: SchemaTrial) async throws -> String? {
        var (random, model) = (SeededGenerator(seed: seed), SchemaModel())
        for _ in 0..<20 { model.change(&random) }
        var actual = try await trial.catalog("actual", model.sql)
        for step in 1...3 {
            let before = model.sql
            for _ in 0..<Int.random(in: 1...8, using: &random) { model.change(&random) }
            let wanted = try await trial.catalog("wanted", model.sql)
            try await trial.connection.script("SET search_path = actual, public")
            if let problem = try await trial.problem(from: actual, to: wanted) {
                return "step \(step): \(problem)\nfrom\n\(before)\nto\n\(model.sql)"
            }
            actual = try await Catalog(reading: trial.connection)
        }
        return nil
    }
}
