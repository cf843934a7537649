/// An event loop's registration for readiness events of a file descriptor. The watch does not own the descriptor:
/// cancel the watch before closing the descriptor.
public final class Watch {
    /// The watched descriptor.
    public let descriptor: Int32
    let token: UInt64
    let handler: (Readiness) -> Void
    private unowned let loop: Loop

    init(descriptor: Int32, generation: UInt32, loop: Loop, handler: @escaping (Readiness) -> Void) {
        self.descriptor = descriptor
        self.token = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
        self.loop = loop
        self.handler = handler
    }

    /// Changes the events to watch for.
    public func change(to interest: Readiness) { loop.modify(self, to: interest) }

    /// Stops watching. The handler is not called again, not even for an event that has already been read from epoll.
    public func cancel() { loop.remove(self) }
}
