import EventLoop
import Logging

/// A log for what a misbehaving peer can cause any number of times: at most one line a second.
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
