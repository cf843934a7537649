/// Counts the bytes of responses that wait for their peers to read them, and decides when to return freed memory to the
/// system.
struct OutputBacklog {
    private(set) var count = 0
    /// The highest count since memory was last returned to the system.
    private var peak = 0

    /// The minimum peak, in bytes, after which memory is returned to the system. After large responses, the allocator
    /// may retain much of the freed memory.
    static let trimThreshold = 8 << 20

    /// Adds the bytes of a response to the count, unless the count would then exceed `limit`. While the count is zero,
    /// a response of any size is accepted. The caller must release the bytes afterwards.
    /// - Returns: Whether the bytes were added.
    mutating func reserve(_ bytes: Int, limit: Int) -> Bool {
        guard count == 0 || count + bytes <= limit else { return false }
        count += bytes
        peak = max(peak, count)
        return true
    }

    mutating func release(_ bytes: Int) { count -= bytes }

    /// Returns whether the count has dropped to zero after a peak of at least `trimThreshold`, and resets the peak:
    /// `true` is returned once for each such peak.
    mutating func consumePeak() -> Bool {
        guard count == 0, peak >= OutputBacklog.trimThreshold else { return false }
        peak = 0
        return true
    }
}
