import CLinux
import EventLoop
import Glibc

/// An in-memory file (memfd_create(2)) from which libfcgi reads one request at a time, in place of the socket.
///
/// libfcgi reads up to 8 KiB at a time and discards whatever it has read beyond the end of a request. Reading from this
/// file, it cannot lose bytes of the next request, which remain in the socket. The beginning of the file is mapped into
/// memory, so that input can be received there directly.
final class RequestBuffer {
    /// The size of the mapped beginning of the file, in bytes.
    static let mappedBytes = 64 << 10

    /// The descriptor of the file.
    let descriptor: Int32
    private var isOpen = true
    /// The mapped beginning of the file.
    let memory: UnsafeMutableRawBufferPointer

    /// Creates an empty file.
    /// - Throws: `SystemError` when the process is out of file descriptors or memory.
    init() throws(SystemError) {
        let file = try check("memfd_create", memfd_create("requests", UInt32(CLinux.MFD_CLOEXEC)))
        descriptor = file
        guard ftruncate(file, off_t(RequestBuffer.mappedBytes)) == 0,
            let memory = mmap(nil, RequestBuffer.mappedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0),
            memory != MAP_FAILED
        else {
            defer { close(file) }
            throw SystemError("mmap")
        }
        self.memory = UnsafeMutableRawBufferPointer(start: memory, count: RequestBuffer.mappedBytes)
    }

    deinit {
        munmap(memory.baseAddress, memory.count)
        if isOpen { close(descriptor) }
    }

    /// Records that libfcgi has closed the descriptor.
    func descriptorWasClosed() { isOpen = false }

    /// Sets the file offset to the beginning, so that libfcgi reads the request that is stored there.
    func rewind() { lseek(descriptor, 0, SEEK_SET) }

    /// Writes a request to the file and sets the file offset to the beginning.
    /// - Throws: `SystemError` when there is not enough memory.
    func load(_ records: [UInt8]) throws(SystemError) {
        let written = records.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        guard written == records.count else { throw SystemError("write") }
        rewind()
    }

    /// Frees the memory of the file beyond its mapped beginning.
    func shrink() { ftruncate(descriptor, off_t(RequestBuffer.mappedBytes)) }
}
