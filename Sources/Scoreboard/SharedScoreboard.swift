import CLinux
import Glibc

/// Memory that a master shares with its workers: each worker writes what it does into a slot of its own, and the master reads all of
/// them, also when every worker is stuck.
///
/// Sound as `@unchecked Sendable`: a slot is written by one worker only, a machine word at a time. Whoever reads may get a number
/// that is a moment old, and never half of one.
public final class SharedScoreboard: @unchecked Sendable {
    /// How many slots there are: the first one keeps the sums of workers that have ended.
    public static let capacity = 128

    /// The descriptor of the memory.
    public let descriptor: Int32
    // Owned here: mapped in init, unmapped in deinit.
    private let memory: UnsafeMutableRawPointer
    private static let size = capacity * Slot.size

    /// Makes an empty one.
    /// - Returns: `nil` when there is no memory, or no descriptor.
    public init?() {
        let descriptor = memfd_create("aktify-scoreboard", MFD_CLOEXEC)
        guard descriptor >= 0, ftruncate(descriptor, SharedScoreboard.size) == 0, let memory = SharedScoreboard.map(descriptor) else {
            return nil
        }
        (self.descriptor, self.memory) = (descriptor, memory)
    }

    /// Takes over one that another process made.
    /// - Returns: `nil` when the descriptor is none, or is another version's.
    public init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size == SharedScoreboard.size, let memory = SharedScoreboard.map(descriptor) else {
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

    /// The place of one worker's numbers.
    public func slot(_ index: Int) -> Slot {
        precondition((0..<SharedScoreboard.capacity).contains(index), "there is no slot \(index)")
        return Slot(memory: memory + index * Slot.size, owner: self)
    }

    /// The sums of workers that have ended.
    public var past: Slot { slot(0) }

    /// Adds what an ended worker has counted to the past, and empties its slot for the next one.
    public func retire(_ index: Int) {
        past.add(slot(index))
        slot(index).clear()
    }
}
