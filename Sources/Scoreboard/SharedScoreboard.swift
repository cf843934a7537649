import CLinux
import Glibc

/// Memory shared by a master and its workers. Each worker publishes its metrics in its own slot, and the master
/// reads all slots, even when every worker is stuck.
///
/// The conformance to `@unchecked Sendable` is sound: each number is one machine word, which only one process writes at
/// a time. A reader may get a slightly outdated number, but never a torn one.
public final class SharedScoreboard: @unchecked Sendable {
    /// The number of slots; the first one contains the totals of the workers that have ended.
    public static let capacity = 128

    /// The descriptor of the memory (memfd_create(2)).
    public let descriptor: Int32
    // Owned here: mapped in init, unmapped in deinit.
    private let memory: UnsafeMutableRawPointer
    private static let size = capacity * Slot.size

    /// Creates an empty scoreboard.
    /// - Returns: `nil` when memory or file descriptors are exhausted.
    public init?() {
        let descriptor = memfd_create("aktify-scoreboard", MFD_CLOEXEC)
        guard descriptor >= 0, ftruncate(descriptor, SharedScoreboard.size) == 0,
            let memory = SharedScoreboard.map(descriptor)
        else {
            return nil
        }
        (self.descriptor, self.memory) = (descriptor, memory)
    }

    /// Maps a scoreboard that another process has created, and takes ownership of the descriptor on success.
    /// - Returns: `nil` when the file cannot be mapped, or when the file's size is not the size of a scoreboard in this
    ///   version of the program.
    public init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size == SharedScoreboard.size,
            let memory = SharedScoreboard.map(descriptor)
        else {
            return nil
        }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        (self.descriptor, self.memory) = (descriptor, memory)
    }

    deinit {
        munmap(memory, SharedScoreboard.size)
        close(descriptor)
    }

    private static func map(_ descriptor: Int32) -> UnsafeMutableRawPointer? {
        let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        return memory == MAP_FAILED ? nil : memory
    }

    /// Returns the slot with this index.
    public func slot(_ index: Int) -> Slot {
        precondition((0..<SharedScoreboard.capacity).contains(index), "the scoreboard has no slot \(index)")
        return Slot(memory: memory + index * Slot.size, owner: self)
    }

    /// The slot with the totals of the workers that have ended.
    public var past: Slot { slot(0) }

    /// Adds the counts in a terminated worker's slot to the totals, and clears the slot for the next worker.
    public func retire(_ index: Int) {
        past.add(slot(index))
        slot(index).clear()
    }
}
