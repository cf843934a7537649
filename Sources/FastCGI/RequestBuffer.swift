import CLinux
import EventLoop
import Glibc

/// A file in memory that libfcgi reads requests from, one at a time, in place of the socket.
///
/// libfcgi reads up to 8 KiB at once, and forgets what it has read beyond a request's end. It is given this file, so that what
/// follows in the socket is never lost. The file's beginning is mapped: what is received there need not be written to it.
final class RequestBuffer {
    /// Bytes of the file that are mapped.
    static let window = 64 << 10

    /// The file's descriptor.
    let descriptor: Int32
    private var isOpen = true
    /// The file's beginning, in this process's memory.
    let memory: UnsafeMutableRawBufferPointer

    /// Makes an empty file.
    /// - Throws: `SystemError` when the process is out of descriptors or memory.
    init() throws(SystemError) {
        let file = try check("memfd_create", memfd_create("requests", UInt32(CLinux.MFD_CLOEXEC)))
        descriptor = file
        guard ftruncate(file, off_t(RequestBuffer.window)) == 0,
            let memory = mmap(nil, RequestBuffer.window, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), memory != MAP_FAILED
        else {
            defer { close(file) }
            throw SystemError("mmap")
        }
        self.memory = UnsafeMutableRawBufferPointer(start: memory, count: RequestBuffer.window)
    }

    deinit {
        munmap(memory.baseAddress, memory.count)
        if isOpen { close(descriptor) }
    }

    /// Is told that somebody else has closed the descriptor.
    func disown() { isOpen = false }

    /// Goes to the file's beginning, where a request lies already.
    func rewind() { lseek(descriptor, 0, SEEK_SET) }

    /// Puts a request into the file, and goes to its beginning.
    /// - Throws: `SystemError` when there is no memory.
    func load(_ records: [UInt8]) throws(SystemError) {
        let written = records.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        guard written == records.count else { throw SystemError("write") }
        rewind()
    }

    /// Gives the memory beyond the mapped beginning back.
    func shrink() { ftruncate(descriptor, off_t(RequestBuffer.window)) }
}
