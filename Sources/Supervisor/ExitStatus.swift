import Glibc

/// How a process terminated (wait(2)).
public enum ExitStatus: Hashable, Sendable, CustomStringConvertible {
    /// The process exited with this code.
    case code(Int32)
    /// The process was terminated by this signal.
    case signal(Int32, dumpedCore: Bool)

    init(raw: Int32) {
        self = raw & 0x7f == 0 ? .code(raw >> 8 & 0xff) : .signal(raw & 0x7f, dumpedCore: raw & 0x80 != 0)
    }

    public var description: String {
        switch self {
        case .code(let code): "exit code \(code)"
        case .signal(let number, let dumpedCore):
            "signal \(number) (\(String(cString: strsignal(number))))" + (dumpedCore ? ", with a core dump" : "")
        }
    }
}
