import Glibc

/// A failed system call: the operation and its error number (errno(3)).
public struct SystemError: Error, Hashable, CustomStringConvertible {
    /// The operation that failed, such as `bind /run/api.sock`. In `description`, a colon and the reason follow.
    public let operation: String
    /// The error number, as defined in `<errno.h>`.
    public let code: Int32

    /// Creates an error with `code`, by default the current value of `errno`.
    public init(_ operation: String, code: Int32 = errno) {
        self.operation = operation
        self.code = code
    }

    public var description: String { "\(operation): \(String(cString: strerror(code)))" }
}

/// Returns `result`, the result of a system call, when it is not negative.
/// - Throws: `SystemError` with the current `errno` when the result is negative.
@discardableResult
public func check(_ operation: @autoclosure () -> String, _ result: Int32) throws(SystemError) -> Int32 {
    guard result >= 0 else { throw SystemError(operation()) }
    return result
}
