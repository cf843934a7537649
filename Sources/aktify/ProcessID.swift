import Glibc
import Supervisor

/// The process id in a PID file.
struct ProcessID {
    let number: pid_t

    /// Reads a PID file.
    /// - Returns: `nil` when the file cannot be read.
    /// - Throws: `CommandError` when the file does not contain a process id.
    init?(inFile path: String) throws {
        guard let text = readFile(path) else { return nil }
        guard let number = pid_t(text.filter { !$0.isWhitespace }), number > 0 else {
            throw CommandError("\(path) does not contain a process id")
        }
        self.number = number
    }

    /// Whether the process is running and was started as `serve` of a program with this program's name
    /// (proc_pid_cmdline(5)). A process whose command line cannot be read counts as a master.
    var isMaster: Bool {
        guard kill(number, 0) == 0 || errno == EPERM else { return false }
        guard let arguments = readFile("/proc/\(number)/cmdline") else { return true }
        let words = arguments.split(separator: "\0").prefix(2)
        return words.last == "serve" && words.first.map(ProcessID.name) == ProcessID.name(of: Inheritance.program[...])
    }

    /// Returns the last component of a path.
    private static func name(of path: Substring) -> Substring? { path.split(separator: "/").last }
}
