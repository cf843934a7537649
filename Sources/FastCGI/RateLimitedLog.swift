import EventLoop
import Logging

/// A logger for warnings that a misbehaving peer can cause any number of times. It logs at most one line a second, with
/// the number of suppressed lines.
struct RateLimitedLog {
    private let logger: Logger
    private var next = Instant.now
    private var suppressed = 0

    init(_ logger: Logger) { self.logger = logger }

    mutating func warning(_ message: @autoclosure () -> String) {
        guard Instant.now >= next else { return suppressed += 1 }
        logger.warning("\(message())", metadata: suppressed > 0 ? ["suppressed": "\(suppressed)"] : nil)
        next = Instant.now.advanced(by: .seconds(1))
        suppressed = 0
    }
}
