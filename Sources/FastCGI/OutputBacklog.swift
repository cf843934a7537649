/// How many bytes of responses wait for their peers, and whether memory is to go back to the system when none do.
struct OutputBacklog {
    private(set) var count = 0
    /// The most there were since memory last went back.
    private var peak = 0

    /// From so many bytes on, the allocator may keep much of what they and their rows took.
    static let worthTrimming = 8 << 20

    /// Counts a response's bytes until they are released.
    /// - Returns: whether there is room for them; one response has room always.
    mutating func hold(_ bytes: Int, atMost limit: Int) -> Bool {
        guard count == 0 || count + bytes <= limit else { return false }
        count += bytes
        peak = max(peak, count)
        return true
    }

    mutating func release(_ bytes: Int) { count -= bytes }

    /// - Returns: whether none are held any more, after enough of them were: once for each such peak.
    mutating func takePeak() -> Bool {
        guard count == 0, peak >= OutputBacklog.worthTrimming else { return false }
        peak = 0
        return true
    }
}
