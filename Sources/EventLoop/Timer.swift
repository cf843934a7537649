/// A one-shot timer on an event loop, created by `Loop.schedule`.
///
/// Like everything that belongs to a loop, a timer must be used on the loop's thread only.
public final class Timer {
    /// When the timer fires.
    public let deadline: Instant
    private var action: (() -> Void)?

    init(deadline: Instant, action: @escaping () -> Void) {
        self.deadline = deadline
        self.action = action
    }

    /// Cancels the timer, which then never fires, and releases its action.
    public func cancel() { action = nil }

    var isCancelled: Bool { action == nil }

    func fire() {
        let due = action
        action = nil
        due?()
    }
}

extension Timer: Comparable {
    public static func < (left: Timer, right: Timer) -> Bool { left.deadline < right.deadline }
    public static func == (left: Timer, right: Timer) -> Bool { left === right }
}
