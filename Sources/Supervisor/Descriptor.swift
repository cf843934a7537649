import CLinux
import EventLoop
import Glibc

/// A file descriptor that is closed when its owner is destroyed.
package struct Descriptor: ~Copyable {
    /// The descriptor's number.
    package let number: Int32

    /// Takes ownership of a descriptor that a system call returned.
    /// - Throws: `SystemError` when the result is negative.
    package init(_ operation: String, _ result: Int32) throws(SystemError) { number = try check(operation, result) }

    deinit { close(number) }

    /// Creates an anonymous in-memory file (memfd_create(2)); the name is only for debugging.
    /// - Throws: `SystemError` when memory or file descriptors are exhausted.
    package static func memory(named name: String) throws(SystemError) -> Descriptor {
        try Descriptor("memfd_create", memfd_create(name, MFD_CLOEXEC))
    }

    /// Returns up to `limit` bytes from the beginning of the file as text; `nil` when the file is empty or
    /// cannot be read.
    package func text(upTo limit: Int) -> String? {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = pread(number, &bytes, bytes.count, 0)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
