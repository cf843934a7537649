import Glibc

/// A property that an input violated.
struct Violation: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Checks a property.
/// - Throws: `Violation` when it does not hold.
func require(_ condition: Bool, _ property: @autoclosure () -> String) throws {
    guard condition else { throw Violation(property()) }
}

/// Code that reads bytes from outside, with the properties that hold for every input.
struct FuzzTarget: Sendable {
    /// What it is called on the command line; its seeds and regressions are in `Corpus/<name>`.
    let name: String
    /// Feeds it one input.
    let check: @Sendable ([UInt8]) throws -> Void

    static let all: [FuzzTarget] = [
        .arrays, .configuration, .cors, .draft, .environment, .inheritance, .json, .listen, .numeric, .params, .records,
        .revision, .script, .server, .target, .values,
    ]

    /// Feeds it one input.
    /// - Throws: a `Violation` of a property, or of the limit of processor time.
    func run(_ input: [UInt8], limit: Duration) throws {
        let start = FuzzTarget.processorTime()
        try check(input)
        let elapsed = FuzzTarget.processorTime() - start
        try require(elapsed < limit, "\(name): \(input.count) bytes took \(elapsed)")
    }

    private static func processorTime() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
