import CLinux
import Glibc

/// The connections that the kernel has taken and nobody has accepted yet.
public struct ListenQueue: Hashable, Sendable {
    /// How many there are.
    public let waiting: Int
    /// How many there may be.
    public let limit: Int

    /// Asks the kernel.
    /// - Returns: `nil` when it does not say.
    public init?(of listener: Int32) {
        var family: Int32 = 0
        var size = socklen_t(MemoryLayout.size(ofValue: family))
        guard getsockopt(listener, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 else { return nil }
        let queue = family == AF_UNIX ? ListenQueue.unix(listener) : ListenQueue.tcp(listener)
        guard let queue else { return nil }
        self = queue
    }

    private init(waiting: UInt32, limit: UInt32) { (self.waiting, self.limit) = (Int(waiting), Int(limit)) }

    /// Of a listening socket, TCP_INFO has the queue in the fields for segments (Linux, net/ipv4/tcp.c, tcp_get_info).
    private static func tcp(_ listener: Int32) -> ListenQueue? {
        var info = tcp_info()
        var size = socklen_t(MemoryLayout.size(ofValue: info))
        guard getsockopt(listener, Int32(IPPROTO_TCP), TCP_INFO, &info, &size) == 0 else { return nil }
        return ListenQueue(waiting: info.tcpi_unacked, limit: info.tcpi_sacked)
    }

    /// A Unix socket's is told by sock_diag(7) only.
    private static func unix(_ listener: Int32) -> ListenQueue? {
        var status = stat()
        let diagnosis = socket(AF_NETLINK, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), NETLINK_SOCK_DIAG)
        guard diagnosis >= 0 else { return nil }
        defer { close(diagnosis) }
        guard fstat(listener, &status) == 0 else { return nil }
        var question = unix_queue_request(UInt32(truncatingIfNeeded: status.st_ino))
        guard send(diagnosis, &question, MemoryLayout.size(ofValue: question), 0) > 0 else { return nil }
        var answer = [UInt8](repeating: 0, count: 4096)
        let count = recv(diagnosis, &answer, answer.count, Int32(MSG_DONTWAIT))
        var queue = unix_diag_rqlen()
        guard count > 0, unix_queue_response(answer, Int32(count), &queue) == 1 else { return nil }
        return ListenQueue(waiting: queue.udiag_rqueue, limit: queue.udiag_wqueue)
    }
}
