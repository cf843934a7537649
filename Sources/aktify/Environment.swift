import AktifyAPI
import CLinux
import Glibc
import Logging

/// Returns the environment variables of this process.
func processEnvironment() -> [String: String] {
    var variables: [String: String] = [:]
    var next = process_environment()
    while let entry = next?.pointee {
        let parts = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        variables[String(parts[0])] = parts.count == 2 ? String(parts[1]) : ""
        next = next?.successor()
    }
    return variables
}

/// Loads the configuration, and sets up logging to standard error with the configured log level. The log lines are text
/// when standard error is a terminal, and JSON otherwise.
/// - Parameter isSilent: whether to discard all log events.
/// - Throws: `ConfigError`, whose description is one line.
func loadConfig(_ environment: [String: String], silently isSilent: Bool = false) throws -> Config {
    let config = try Config(environment: environment, readFile: readFile)
    let level = Logger.Level(rawValue: config.logLevel) ?? .info
    if isSilent {
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        return config
    }
    let format: LogFormat = isatty(STDERR_FILENO) == 1 ? .text : .json
    LoggingSystem.bootstrap { StandardErrorLogHandler(label: $0, format: format, level: level) }
    return config
}

/// Returns the contents of a file, or `nil` when the file is not a regular file, cannot be read, or is not valid UTF-8.
/// Other kinds of files are refused because a directory would read as empty and a FIFO would block.
func readFile(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        guard count >= 0 else { return nil }
        guard count > 0 else { break }
        bytes += buffer[..<count]
    }
    return String(validating: bytes, as: UTF8.self)
}
