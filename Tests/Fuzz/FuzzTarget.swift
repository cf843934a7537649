import Glibc

/// A violation of a property by an input.
struct Violation: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Checks a property.
/// - Throws: `Violation` when the condition is false.
func require(_ condition: Bool, _ property: @autoclosure () -> String) throws {
    guard condition else { throw Violation(property()) }
}

/// Code that parses untrusted bytes, with properties that hold for every input.
struct FuzzTarget: Sendable {
    /// The name of the target on the command line; its seeds and regressions are in `Corpus/<name>`.
    let name: String
    /// Runs the code on one input and checks the properties.
    let check: @Sendable ([UInt8]) throws -> Void

    static let all: [FuzzTarget] = [
        .arrays, .campaign, .configuration, .cors, .environment, .inheritance, .json, .listen, .numeric, .params,
        .records,
        .revision, .script, .server, .target, .values,
    ]

    /// Runs the target on one input.
    /// - Throws: A `Violation` of a property, or of the limit of processor time.
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
