import CLinux
import EventLoop
import Glibc

/// Tells systemd how the service is (sd_notify(3)); without systemd, nobody.
public struct ServiceManager: Sendable {
    private let path: String?

    /// Finds the socket to tell it to in `NOTIFY_SOCKET`.
    public init(environment: [String: String]) { path = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 } }

    /// What the service is about to do.
    enum Message: Hashable, Sendable {
        /// It serves; this also ends a reload.
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

    /// It is alive.
    public func alive() { send("WATCHDOG=1") }

    /// How often systemd wants to hear that: half of what it waits.
    public static func watchdogInterval(environment: [String: String]) -> Duration? {
        environment["WATCHDOG_USEC"].flatMap { Int64($0) }.map { .microseconds($0 / 2) }
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
            if path.hasPrefix("@") { bytes[0] = 0 }  // An abstract name.
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
