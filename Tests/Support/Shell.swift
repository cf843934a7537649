import Foundation

/// The folder of the checkout.
public let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

/// A command that did not end well.
public struct CommandFailed: Error, CustomStringConvertible {
    /// The command, its exit status, and what it printed.
    public let description: String

    /// Makes the error.
    public init(description: String) { self.description = description }
}

/// A folder of a test's own, gone when nobody holds it.
public final class Folder: Sendable {
    /// Its path: short, since sockets lie in it.
    public let path = "/tmp/aktify-test-\(UUID().uuidString.prefix(13))"

    /// Makes the folder.
    public init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Runs a command to its end, not longer than a minute.
/// - Returns: its exit status, and what it printed.
public func runToEnd(
    _ command: [String], environment: [String: String] = [:], input: String? = nil
) throws -> (status: Int32, output: String) {
    let folder = try Folder()
    let standardInput = "\(folder.path)/input"
    try Data((input ?? "").utf8).write(to: URL(filePath: standardInput))
    let descriptor = open(standardInput, O_RDONLY | O_CLOEXEC)
    defer { close(descriptor) }
    let child = try Child(command, environment: environment, input: descriptor, output: "\(folder.path)/output")
    guard let status = child.wait(seconds: 60) else { throw CommandFailed(description: "\(command) did not end") }
    return (status, child.log)
}

/// Runs a command to its end.
/// - Returns: what it printed.
/// - Throws: `CommandFailed` when its exit status is not 0.
@discardableResult
public func run(_ command: [String], environment: [String: String] = [:], input: String? = nil) throws -> String {
    let (status, output) = try runToEnd(command, environment: environment, input: input)
    guard status == 0 else {
        throw CommandFailed(description: "\(command.joined(separator: " ")) exited with \(status): \(output)")
    }
    return output
}

/// Waits until something is so, 30 seconds at most.
public func waitUntil(_ what: @autoclosure () -> String, _ condition: () throws -> Bool) throws {
    for _ in 0..<3000 {
        if try condition() { return }
        usleep(10_000)
    }
    throw CommandFailed(description: "it never came true that \(what())")
}
