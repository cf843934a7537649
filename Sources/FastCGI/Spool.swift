import CLinux
import EventLoop
import Glibc

extension Exchange {
    /// Makes a file in memory that holds a request, for libfcgi to read when it cannot lie whole in the socket.
    /// - Returns: its descriptor, at the file's start, which the caller closes.
    /// - Throws: `SystemError` when the process is out of descriptors or memory.
    static func spool(_ records: [UInt8]) throws(SystemError) -> Int32 {
        let file = try check("memfd_create", memfd_create("request", UInt32(CLinux.MFD_CLOEXEC)))
        let written = records.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
        guard written == records.count else {
            defer { close(file) }
            throw SystemError("write")
        }
        return file
    }
}
