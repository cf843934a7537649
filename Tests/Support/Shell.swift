import Foundation

/// The root directory of the checkout.
public let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

/// A command or a system call that failed, or a condition that did not become true in time.
public struct CommandFailed: Error, CustomStringConvertible {
    /// The message; for a command that failed, usually with its exit status and its output.
    public let description: String

    /// Creates the error.
    public init(description: String) { self.description = description }
}

/// A temporary directory. It is deleted on deinitialization.
public final class Folder: Sendable {
    /// Its path, which is short because it contains Unix sockets.
    public let path = "/tmp/aktify-test-\(UUID().uuidString.prefix(13))"

    /// Creates the directory.
    public init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Runs a command and waits for it to exit, for up to a minute.
/// - Returns: its exit status and its output, with standard error.
public func runToEnd(
    _ command: [String], environment: [String: String] = [:], input: String? = nil
) throws -> (status: Int32, output: String) {
    let folder = try Folder()
    let standardInput = "\(folder.path)/input"
    try Data((input ?? "").utf8).write(to: URL(filePath: standardInput))
    let descriptor = open(standardInput, O_RDONLY | O_CLOEXEC)
    defer { close(descriptor) }
    let child = try Child(command, environment: environment, input: descriptor, output: "\(folder.path)/output")
    guard let status = child.wait(seconds: 60) else {
        throw CommandFailed(description: "\(command) did not exit within a minute")
    }
    return (status, child.log)
}

/// Runs a command and waits for it to exit, for up to a minute.
/// - Returns: its output, with standard error.
/// - Throws: `CommandFailed` if its exit status is not 0.
@discardableResult
public func run(_ command: [String], environment: [String: String] = [:], input: String? = nil) throws -> String {
    let (status, output) = try runToEnd(command, environment: environment, input: input)
    guard status == 0 else {
        throw CommandFailed(description: "\(command.joined(separator: " ")) exited with \(status): \(output)")
    }
    return output
}

/// Waits until a condition becomes true, for up to 30 seconds, not counting the duration of its evaluations.
/// - Parameter what: describes the condition in the error.
public func waitUntil(_ what: @autoclosure () -> String, _ condition: () throws -> Bool) throws {
    for _ in 0..<3000 {
        if try condition() { return }
        usleep(10_000)
    }
    throw CommandFailed(description: "timed out waiting until \(what())")
}
