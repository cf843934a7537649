import CLinux
import Glibc

/// Delivers signals to an event loop as events instead of asynchronous signal handlers (signalfd(2)).
public enum Signals {
    private static func set(_ signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        return set
    }

    /// Blocks `signals` in the calling thread and in all threads that it starts later. Call this method before any
    /// thread is started.
    public static func block(_ signals: [Int32]) {
        var set = set(signals)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Calls `handler` on `loop` with the number of each signal received. The signals must have been blocked with
    /// `block`.
    /// - Throws: `SystemError` when the process is out of file descriptors.
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

/// A watch on signals, which owns its signalfd(2) descriptor.
public final class SignalWatch {
    private var watch: Watch?

    fileprivate init(_ watch: Watch) { self.watch = watch }

    /// Stops watching and closes the signalfd(2) descriptor.
    public func cancel() {
        guard let watch else { return }
        watch.cancel()
        close(watch.descriptor)
        self.watch = nil
    }
}
