import Glibc
import Synchronization

/// Non-blocking log output to standard error: a slow reader never blocks the process, and a reader that is gone is not
/// an error.
///
/// When the pipe is full, lines are dropped and counted. The next line that can be written is preceded by a line with
/// the number of dropped lines.
enum StandardError {
    private struct State {
        /// The unwritten remainder of a partially written line.
        var rest: ArraySlice<UInt8> = []
        /// How many lines were dropped since the last report.
        var dropped = 0
    }

    private static let state = Mutex(State())

    /// Makes standard error non-blocking when it is a pipe or a terminal, in this process and its children, and ignores
    /// SIGPIPE.
    ///
    /// `O_NONBLOCK` is a property of the open file description, which may be shared with the shell and other processes,
    /// so the file is opened again. Where that is not permitted, `write` checks with poll(2) whether there is room.
    /// SIGPIPE is ignored so that a closed log does not terminate the process.
    static func stopBlocking() {
        signal(SIGPIPE, SIG_IGN)
        var status = stat()
        guard fstat(STDERR_FILENO, &status) == 0, [S_IFIFO, S_IFCHR].contains(status.st_mode & S_IFMT) else { return }
        let reopened = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        guard reopened >= 0 else { return }
        dup2(reopened, STDERR_FILENO)
        close(reopened)
    }

    /// Writes a line completely, or drops the line. The rest of a line longer than 4096 bytes (PIPE_BUF) may be written
    /// by a later call.
    /// - Parameter report: formats the line that reports how many lines were dropped.
    static func write(_ line: [UInt8], reportingDropped report: (Int) -> [UInt8]) {
        state.withLock { state in
            guard finish(&state) else { return state.dropped += 1 }
            if state.dropped > 0 {
                state.rest = report(state.dropped)[...]
                guard send(&state) else {
                    state.rest = []
                    return state.dropped += 1
                }
                state.dropped = 0
            }
            guard finish(&state) else { return state.dropped += 1 }
            state.rest = line[...]
            guard send(&state) else {
                state.rest = []
                return state.dropped += 1
            }
        }
    }

    /// Writes the remainder of the previous line.
    /// - Returns: whether the remainder has been written completely.
    private static func finish(_ state: inout State) -> Bool {
        if !state.rest.isEmpty { _ = send(&state) }
        return state.rest.isEmpty
    }

    /// Writes as much of the remainder as there is room for.
    /// - Returns: whether anything was written.
    private static func send(_ state: inout State) -> Bool {
        let before = state.rest.count
        while !state.rest.isEmpty, hasRoom {
            let count = state.rest.withUnsafeBytes { bytes in
                let piece = min(bytes.count, 4096)
                let count = Glibc.send(
                    STDERR_FILENO, bytes.baseAddress, piece, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
                return count < 0 && errno == ENOTSOCK ? Glibc.write(STDERR_FILENO, bytes.baseAddress, piece) : count
            }
            guard count > 0 else { break }
            state.rest = state.rest.dropFirst(count)
        }
        return state.rest.count < before
    }

    /// Whether standard error is writable. A pipe is writable when it has room for 4096 bytes.
    private static var hasRoom: Bool {
        var descriptor = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        return poll(&descriptor, 1, 0) == 1 && descriptor.revents & Int16(POLLOUT) != 0
    }
}
