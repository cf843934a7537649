import Foundation

/// The folder of the checkout.
public let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

/// A command that did not end well.
public struct CommandFailed: Error, CustomStringConvertible {
    /// The command, its exit status, and what it printed.
    public let description: String
}

/// Runs a command to its end.
/// - Returns: what it printed on its standard output.
/// - Throws: `CommandFailed` when its exit status is not 0.
@discardableResult
public func run(_ command: [String], environment: [String: String] = [:], input: String? = nil) throws -> String {
    let result = try runToEnd(command, environment: environment, input: input)
    guard result.status == 0 else {
        throw CommandFailed(description: "\(command.joined(separator: " ")) exited with \(result.status): \(result.error)\(result.output)")
    }
    return result.output
}

/// Runs a command to its end, however it ends.
public func runToEnd(
    _ command: [String], environment: [String: String] = [:], input: String? = nil
) throws -> (status: Int32, output: String, error: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.currentDirectoryURL = URL(filePath: checkout)
    let files = try (0..<3).map { _ in try TemporaryFile() }
    if let input { try Data(input.utf8).write(to: files[0].url) }
    process.standardInput = try FileHandle(forReadingFrom: files[0].url)
    process.standardOutput = try FileHandle(forWritingTo: files[1].url)
    process.standardError = try FileHandle(forWritingTo: files[2].url)
    try process.run()
    process.waitUntilExit()
    return (process.terminationStatus, try files[1].text(), try files[2].text())
}

/// A file that is gone when nobody holds it.
final class TemporaryFile {
    let url = URL(filePath: "/tmp/aktify-test-\(UUID().uuidString)")

    init() throws { try Data().write(to: url) }

    deinit { try? FileManager.default.removeItem(at: url) }

    func text() throws -> String { String(decoding: try Data(contentsOf: url), as: UTF8.self) }
}
