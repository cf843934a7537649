/// A descriptor that a loop waits for. It does not own the descriptor: cancel the watch, then close.
public final class Watch {
    /// The descriptor that is watched.
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

    /// Waits for something else from now on.
    public func change(to interest: Readiness) { loop.change(self, to: interest) }

    /// Stops watching; the handler is not called again, not even for an event that has been read already.
    public func cancel() { loop.forget(self) }
}
