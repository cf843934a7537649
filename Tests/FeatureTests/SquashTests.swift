import EventLoop
import Postgres
import TestSupport
import Testing

@testable import Migrations

/// `aktify db squash` puts one revision in the place of many.
@Suite struct SquashTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private func baseline(_ graph: RevisionGraph, upTo id: String) throws -> Baseline {
        let configuration = database.directConfiguration()
        return try Loop.run { try await Squash(graph, upTo: id, configuration: configuration).baseline() }
    }

    @Test(arguments: ["02", "08", "23", "31", "40", "52", "61"])
    func `a baseline makes what the squashed revisions make, and undoes it`(number: String) throws {
        let graph = try ScriptDirectory("\(checkout)/Tests/FeatureTests/Corpus").graph()
        let baseline = try baseline(graph, upTo: "c0a5e00000\(number)")
        #expect(baseline.replaced.count == Int(number))
        let revision = try Revision(parsing: baseline.text, file: "versions/\(baseline.revision.fileName)")
        #expect(Lint.findings(in: revision) == [])
        #expect(revision.replacement.ids == baseline.replaced.dropLast().map(\.id))
    }
}
