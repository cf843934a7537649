import Glibc

/// A system call that failed: the call's name and its `errno` (errno(3)).
public struct SystemError: Error, Hashable, CustomStringConvertible {
    /// What was being done, as words that fit before a colon: `bind /run/api.sock`.
    public let operation: String
    /// The error number, as in `<errno.h>`.
    public let code: Int32

    /// Makes an error from `errno` as it stands now, unless a `code` is given.
    public init(_ operation: String, code: Int32 = errno) {
        self.operation = operation
        self.code = code
    }

    public var description: String { "\(operation): \(String(cString: strerror(code)))" }
}

/// Passes a system call's result on, and throws when it is negative.
@discardableResult
public func check(_ operation: @autoclosure () -> String, _ result: Int32) throws(SystemError) -> Int32 {
    guard result >= 0 else { throw SystemError(operation()) }
    return result
}
