import Glibc

/// A process, by the file that has its id.
struct ProcessID {
    let number: pid_t

    /// - Returns: `nil` when there is no file.
    /// - Throws: `CommandError` when there is something else in it.
    init?(inFile path: String) throws {
        guard let text = readFile(path) else { return nil }
        guard let number = pid_t(text.filter { !$0.isWhitespace }), number > 0 else {
            throw CommandError("\(path) has no process id in it")
        }
        self.number = number
    }

    /// Whether it runs, and was started as `aktify serve` (proc_pid_cmdline(5)); one whose command line cannot be read may be.
    var isMaster: Bool {
        guard kill(number, 0) == 0 || errno == EPERM else { return false }
        guard let arguments = readFile("/proc/\(number)/cmdline") else { return true }
        return arguments.split(separator: "\0").dropFirst().first == "serve"
    }
}
