import Foundation
import Testing

/// Runs each fuzz target on its corpus of seeds and regressions, without libFuzzer.
@Suite struct CorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus")

    private func corpus(_ target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let folder = Self.folder.appending(path: target.name)
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            (name, Array(try Data(contentsOf: folder.appending(path: name))))
        }
    }

    @Test(arguments: FuzzTarget.all.map(\.name)) func `every seed and regression satisfies the target's properties`(
        name: String
    )
        throws
    {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let corpus = try corpus(target)
        #expect(!corpus.isEmpty, "the target has no seeds")
        for (file, bytes) in corpus {
            #expect(throws: Never.self, "\(file)") { try target.run(bytes, limit: .seconds(2)) }
        }
    }

    /// The limit of two seconds allows for slow debug builds, but an algorithm with quadratic running time exceeds it.
    @Test(arguments: FuzzTarget.all.map(\.name)) func `64 KiB of input do not take quadratic time`(name: String)
        throws
    {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        for (file, bytes) in try corpus(target) where !bytes.isEmpty {
            let long = Array([[UInt8]](repeating: bytes, count: (64 << 10) / bytes.count + 1).joined().prefix(64 << 10))
            #expect(throws: Never.self, "\(file), repeated") { try target.run(long, limit: .seconds(2)) }
        }
    }
}
