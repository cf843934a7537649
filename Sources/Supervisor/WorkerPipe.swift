import CLinux
import EventLoop
import Glibc

/// The pipe by which a worker tells its master, a byte each, that it is ready, and that it crashes.
final class WorkerPipe {
    /// What a worker says.
    enum Message { case ready, crashed }

    private var reading: Int32
    private(set) var writingEnd: Int32
    private var watch: Watch?
    private let handler: (Message) -> Void

    /// - Throws: `SystemError` when the process is out of descriptors, or of memory for the watch.
    init(on loop: Loop, handler: @escaping (Message) -> Void) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        try check("pipe2", pipe2(&ends, Int32(O_CLOEXEC | O_NONBLOCK)))
        (reading, writingEnd, self.handler) = (ends[0], ends[1], handler)
        // Should this fail, deinit closes both ends.
        watch = try loop.watch(reading, for: .readable) { [unowned self] _ in readAll() }
    }

    deinit {
        closeReadingEnd()
        closeWritingEnd()
    }

    /// To be called when the worker has it.
    func closeWritingEnd() {
        if writingEnd >= 0 { close(writingEnd) }
        writingEnd = -1
    }

    /// Takes all that the worker has said.
    func readAll() {
        var byte: UInt8 = 0
        while reading >= 0 {
            let count = read(reading, &byte, 1)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count == 1 else { return closeReadingEnd() }  // It has closed its end, and will be reaped.
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
