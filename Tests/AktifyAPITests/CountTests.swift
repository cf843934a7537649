import Foundation
import Testing

/// How `scripts/test` counts the tests in the output of `swift test`.
@Suite struct CountTests {
    private func count(_ log: String) throws -> String { try report(log).count }

    private func report(_ log: String) throws -> (count: String, failures: [Substring]) {
        let file = FileManager.default.temporaryDirectory.appending(path: "aktify-count-\(UUID()).log")
        try Data(log.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let checkout = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
        let process = Process()
        let (output, errors) = (Pipe(), Pipe())
        process.executableURL = checkout.appending(path: "scripts/test")
        process.arguments = ["--count", file.path()]
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let bytes = [output, errors].map { $0.fileHandleForReading.readDataToEndOfFile() }
        process.waitUntilExit()
        let texts = bytes.map { String(decoding: $0, as: UTF8.self) }
        return (texts[0], texts[1].split(separator: "\n"))
    }

    private static let passing = """
        Test Suite 'Selected tests' passed at 2026-11-24 07:41:56.660
        \t Executed 0 tests, with 0 failures (0 unexpected) in 0.0 (0.0) seconds
        ◇ Test run started.
        ◇ Suite ApplicationTests started.
        ◇ Test "it fails, and it has failed after that" started.
        ◇ Test "what is passed after" started.
        ◇ Test case passing 1 argument target → "/" to "what is passed after" started.
        ✔ Test case passing 1 argument target → "/" to "what is passed after" passed after 0.001 seconds.
        ✔ Test "it fails, and it has failed after that" passed after 0.031 seconds.
        ✔ Test "what is passed after" with 8 test cases passed after 0.031 seconds.
        ✔ Suite ApplicationTests passed after 0.033 seconds.
        ✔ Test run with 2 tests in 1 suite passed after 0.074 seconds.

        """

    private static let failing = """
        ◇ Test run started.
        ◇ Test "one" started.
        ◇ Test two() started.
        ➜ Test "three" skipped: "not today"
        ✘ Test "one" recorded an issue at OneTests.swift:118:9: Expectation failed: false
        ✘ Test "one" with 2 test cases failed after 0.022 seconds with 10 issues.
        ✔ Test two() passed after 0.002 seconds.
        ✘ Suite OneTests failed after 0.030 seconds with 10 issues.
        ✘ Test run with 2 tests in 1 suite failed after 0.052 seconds with 10 issues.

        """

    @Test func `the tests of passing and failing runs are counted`() throws {
        #expect(try count(Self.passing) == "2 passed, 0 failed\n")
        #expect(try count(Self.failing) == "1 passed, 1 failed, 1 skipped\n")
        #expect(try count(Self.passing + Self.failing) == "3 passed, 1 failed, 1 skipped\n")
        #expect(try count("") == "0 passed, 0 failed\n")
    }

    @Test func `a test that did not end counts as failed`() throws {
        let lost = Self.failing.split(separator: "\n").prefix(6).joined(separator: "\n") + "\nerror: signal code 5\n"
        #expect(try count(lost) == "0 passed, 2 failed, 1 skipped\n")
    }

    @Test func `a missing line is no failure when the run passed`() throws {
        let lost = Self.passing.replacing(
            "✔ Test \"it fails, and it has failed after that\" passed after 0.031 seconds.\n", with: "")
        #expect(try report(lost).count == "2 passed, 0 failed\n" && report(lost).failures.isEmpty)
        #expect(try count(Self.failing + lost) == "3 passed, 1 failed, 1 skipped\n")
    }

    @Test func `failed tests and tests that did not end are listed`() throws {
        #expect(try report(Self.passing).failures.isEmpty)
        #expect(
            try report(Self.failing).failures == [
                "✘ Test \"one\" recorded an issue at OneTests.swift:118:9: Expectation failed: false",
                "✘ Test \"one\" with 2 test cases failed after 0.022 seconds with 10 issues.",
            ])
        let lost = "◇ Test \"four\" started.\nerror: Exited with unexpected signal code 5\n"
        #expect(
            try report(Self.passing + lost).failures == [
                "error: Exited with unexpected signal code 5", "did not end: Test \"four\"",
            ])
    }

    @Test func `only the first of many failures are listed, and all are counted`() throws {
        let many = (1...1000).map {
            "◇ Test \"number \($0)\" started.\n✘ Test \"number \($0)\" failed after 0.1 seconds with 1 issue.\n"
        }
        let (count, failures) = try report(many.joined())
        #expect(count == "0 passed, 1000 failed\n" && failures.count == 40)
    }
}
