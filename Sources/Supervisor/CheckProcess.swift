import EventLoop
import Glibc

/// A child process that runs the current program file with `--check`, to find out whether the new program can start
/// with the current configuration.
final class CheckProcess {
    let pid: pid_t
    private let output: Descriptor

    /// Starts the check.
    /// - Throws: `SystemError` when the process cannot be started.
    init(_ command: [String], environment: [String: String]) throws(SystemError) {
        let input = try Descriptor("open /dev/null", open("/dev/null", O_RDONLY | O_CLOEXEC))
        output = try Descriptor.memory(named: "aktify-check")
        pid = try spawn(
            command, environment, descriptors: [(input.number, 0), (output.number, 1), (output.number, 2)])
    }

    /// Returns the problem that the check reported before it exited with `status`; `nil` when the check has passed.
    func problem(_ status: ExitStatus) -> String? {
        let text = output.text(upTo: 64 << 10) ?? ""
        if status == .code(0) {
            return text.contains(Master.checkPassed) ? nil : "the new program does not know --check: is it aktify?"
        }
        let lines = text.prefix(2000).split(separator: "\n")
        return lines.isEmpty ? "the new program's --check ended with \(status)" : lines.joined(separator: "; ")
    }
}
