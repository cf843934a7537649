/// An action that waits on a loop for its moment.
///
/// Confined to the loop's thread, as everything that belongs to a loop is.
public final class Timer {
    /// When the action is due.
    public let deadline: Instant
    private var action: (() -> Void)?

    init(deadline: Instant, action: @escaping () -> Void) {
        self.deadline = deadline
        self.action = action
    }

    /// Forgets the action and what it holds; the timer then never fires.
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
