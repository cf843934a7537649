import CLinux
import EventLoop
import Glibc

/// A notifier that sends the service's state to systemd (sd_notify(3)). Nothing is sent when the service does not run
/// under systemd.
public struct ServiceManager: Sendable {
    private let path: String?

    /// Creates a notifier that uses the socket in `NOTIFY_SOCKET`.
    public init(environment: [String: String]) { path = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 } }

    /// A change of the service's state.
    enum Message: Hashable, Sendable {
        /// The service is ready; also sent at the end of a reload.
        case ready
        case reloading, stopping
    }

    func send(_ message: Message) {
        switch message {
        case .ready: send("READY=1")
        case .stopping: send("STOPPING=1")
        case .reloading:
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            send("RELOADING=1\nMONOTONIC_USEC=\(time.tv_sec * 1_000_000 + time.tv_nsec / 1000)")
        }
    }

    /// Sends a watchdog keep-alive message.
    public func notifyAlive() { send("WATCHDOG=1") }

    /// Returns the interval at which to send watchdog keep-alive messages: half of systemd's watchdog timeout; `nil`
    /// when the watchdog is disabled, or meant for another process (sd_watchdog_enabled(3)).
    public static func watchdogInterval(environment: [String: String]) -> Duration? {
        guard let timeout = environment["WATCHDOG_USEC"].flatMap({ Int64($0) }), timeout > 0,
            environment["WATCHDOG_PID"].map({ $0 == String(getpid()) }) ?? true
        else { return nil }
        return .microseconds(timeout / 2)
    }

    private func send(_ message: String) {
        guard let path else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let count = min(path.utf8.count, 107)
        withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            bytes.copyBytes(from: path.utf8.prefix(count))
            if path.hasPrefix("@") { bytes[0] = 0 }  // An abstract socket address (unix(7)).
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + count)
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
                message.withCString {
                    sendto(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL | MSG_DONTWAIT), target, length)
                }
            }
        }
    }
}
