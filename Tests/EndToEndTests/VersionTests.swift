import Foundation
import TestSupport
import Testing

extension Stack {
    /// The version in Release.swift; empty if it cannot be read.
    static let version: String = {
        let output = try? run(["\(checkout)/scripts/version"])
        return output?.trimmingCharacters(in: .newlines) ?? ""
    }()
}

/// The version is stated once, and everything that shows it agrees.
@Suite struct VersionTests {
    @Test func `the program, its log, its status and the contract have one version`() throws {
        let stack = try Stack(workers: 1)
        #expect(Stack.version.wholeMatch(of: /\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?/) != nil)
        #expect(try run([Stack.program, "--version"]) == "\(Stack.version)\n")
        let first = try #require(stack.worker.log.split(separator: "\n").first)
        #expect(first.contains(#""version":"\#(Stack.version)""#), "\(first)")
        #expect(try stack.status()["version"] as? String == Stack.version)
        let document = try JSONSerialization.jsonObject(with: Data(stack.get("/openapi.json").body.utf8))
        let info = try #require((document as? [String: Any])?["info"] as? [String: Any])
        #expect(info["version"] as? String == Stack.version)
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "\(checkout)/.git"), "this is not a git checkout"))
    func `the labels of the images have it too, and no other file states it`() throws {
        let labels = try run(["scripts/release", "--labels"]).split(separator: "\n")
        #expect(labels.contains("org.opencontainers.image.version=\(Stack.version)"))
        let keys = Set(labels.compactMap { $0.split(separator: "=").first?.split(separator: ".").last })
        #expect(keys.isSuperset(of: ["title", "version", "revision", "created", "licenses"]))
        let places = try run(["git", "grep", "-lF", "\"\(Stack.version)\"", "--", "Sources", "scripts", "nginx"])
        #expect(places == "Sources/AktifyAPI/Release.swift\n")
    }
}
