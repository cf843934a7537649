import CLinux
import Glibc

/// Signals that a loop receives as events, in place of handlers that interrupt (signalfd(2)).
public enum Signals {
    private static func set(_ signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        return set
    }

    /// Holds `signals` back in this thread and in all that it starts from now on: call it first of all.
    public static func block(_ signals: [Int32]) {
        var set = set(signals)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Calls `handler` on `loop` with the number of each signal that arrives; `block` must have held them back.
    /// - Throws: `SystemError` when the process is out of descriptors.
    public static func watch(
        _ signals: [Int32], on loop: Loop, _ handler: @escaping (Int32) -> Void
    ) throws(SystemError) -> SignalWatch {
        var set = set(signals)
        let descriptor = try check("signalfd", signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK)))
        do throws(SystemError) {
            let watch = try loop.watch(descriptor, for: .readable) { _ in
                var info = signalfd_siginfo()
                while read(descriptor, &info, MemoryLayout.size(ofValue: info)) == MemoryLayout.size(ofValue: info) {
                    handler(Int32(info.ssi_signo))
                }
            }
            return SignalWatch(watch)
        } catch {
            close(descriptor)
            throw error
        }
    }
}

/// A watch on signals, which owns its descriptor (signalfd(2)).
public final class SignalWatch {
    private var watch: Watch?

    fileprivate init(_ watch: Watch) { self.watch = watch }

    /// Stops watching, and closes the descriptor.
    public func cancel() {
        guard let watch else { return }
        watch.cancel()
        close(watch.descriptor)
        self.watch = nil
    }
}
