import Glibc
import Synchronization

/// Standard error for the log: writing to it never waits for its reader, nor fails when that has gone.
///
/// A line that does not fit is dropped, and counted: the next one that fits is preceded by one that says how many.
enum StandardError {
    private struct State {
        /// What is left of a line of which only the beginning fitted.
        var rest: ArraySlice<UInt8> = []
        var dropped = 0
    }

    private static let state = Mutex(State())

    /// Lets writes to a pipe or terminal fail when there is no room, in this process and in those that it starts.
    ///
    /// `O_NONBLOCK` belongs to the open file description, which the shell and others may share: so the file is opened once more.
    /// Where that is not allowed, `write` looks whether there is room (poll(2)). SIGPIPE is ignored: a log without a reader is no
    /// reason to end.
    static func stopBlocking() {
        signal(SIGPIPE, SIG_IGN)
        var status = stat()
        guard fstat(STDERR_FILENO, &status) == 0, [S_IFIFO, S_IFCHR].contains(status.st_mode & S_IFMT) else { return }
        let own = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        guard own >= 0 else { return }
        dup2(own, STDERR_FILENO)
        close(own)
    }

    /// Writes a line whole, or not at all; one longer than 4096 bytes (PIPE_BUF) may be continued later.
    /// - Parameter report: makes the line that says how many were dropped.
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

    /// Writes what is left of the line before.
    /// - Returns: whether nothing is left.
    private static func finish(_ state: inout State) -> Bool {
        if !state.rest.isEmpty { _ = send(&state) }
        return state.rest.isEmpty
    }

    /// Writes as much as there is room for.
    /// - Returns: whether that was anything.
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

    /// Whether a pipe has room for 4096 bytes, or something else for at least one.
    private static var hasRoom: Bool {
        var descriptor = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        return poll(&descriptor, 1, 0) == 1 && descriptor.revents & Int16(POLLOUT) != 0
    }
}
