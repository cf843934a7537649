import CLinux
import EventLoop
import Glibc

/// The pipe through which a worker notifies its master, with one byte each, that it is ready or that it is crashing.
final class WorkerPipe {
    /// A notification from a worker.
    enum Message { case ready, crashed }

    private var reading: Int32
    private(set) var writingEnd: Int32
    private var watch: Watch?
    private let handler: (Message) -> Void

    /// Creates the pipe.
    /// - Throws: `SystemError` when the process is out of file descriptors or memory.
    init(on loop: Loop, handler: @escaping (Message) -> Void) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        try check("pipe2", pipe2(&ends, Int32(O_CLOEXEC | O_NONBLOCK)))
        (reading, writingEnd, self.handler) = (ends[0], ends[1], handler)
        // When this throws, deinit closes both ends.
        watch = try loop.watch(reading, for: .readable) { [unowned self] _ in readAll() }
    }

    deinit {
        closeReadingEnd()
        closeWritingEnd()
    }

    /// Closes the master's copy of the writing end. Call this method after the worker has been started.
    func closeWritingEnd() {
        if writingEnd >= 0 { close(writingEnd) }
        writingEnd = -1
    }

    /// Reads all notifications that the worker has sent.
    func readAll() {
        var byte: UInt8 = 0
        while reading >= 0 {
            let count = read(reading, &byte, 1)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            // At the end of the stream, the worker has closed its end; it will be reaped.
            guard count == 1 else { return closeReadingEnd() }
            handler(byte == UInt8(ascii: "C") ? .crashed : .ready)
        }
    }

    private func closeReadingEnd() {
        watch?.cancel()
        watch = nil
        if reading >= 0 { close(reading) }
        reading = -1
    }
}
