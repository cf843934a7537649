import CLinux
import EventLoop
import Glibc

/// A file descriptor that closes itself when its owner lets go of it.
package struct Descriptor: ~Copyable {
    package let number: Int32

    /// Takes over the result of a system call that makes a descriptor.
    /// - Throws: `SystemError` when it is negative.
    package init(_ operation: String, _ result: Int32) throws(SystemError) { number = try check(operation, result) }

    deinit { close(number) }

    /// A file in memory without a name.
    package static func memory(named name: String) throws(SystemError) -> Descriptor {
        try Descriptor("memfd_create", memfd_create(name, MFD_CLOEXEC))
    }

    /// The beginning of the file's text; `nil` when it is empty.
    package func text(upTo limit: Int) -> String? {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = pread(number, &bytes, bytes.count, 0)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
