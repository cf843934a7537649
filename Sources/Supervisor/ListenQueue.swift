import CLinux
import Glibc

/// The accept queue of a listening socket: the connections that the kernel has established and no process has accepted
/// yet.
public struct ListenQueue: Hashable, Sendable {
    /// The number of connections in the queue.
    public let length: Int
    /// The maximum length of the queue (the backlog).
    public let limit: Int

    /// Queries the kernel for the accept queue of a listening socket.
    /// - Returns: `nil` when the kernel does not report the queue.
    public init?(of listener: Int32) {
        var family: Int32 = 0
        var size = socklen_t(MemoryLayout.size(ofValue: family))
        guard getsockopt(listener, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 else { return nil }
        let queue = family == AF_UNIX ? ListenQueue.unix(listener) : ListenQueue.tcp(listener)
        guard let queue else { return nil }
        self = queue
    }

    private init(length: UInt32, limit: UInt32) { (self.length, self.limit) = (Int(length), Int(limit)) }

    /// Queries the accept queue of a TCP socket. For a listening socket, TCP_INFO reports the queue in the fields for
    /// unacknowledged and SACKed segments (Linux, net/ipv4/tcp.c, tcp_get_info).
    private static func tcp(_ listener: Int32) -> ListenQueue? {
        var info = tcp_info()
        var size = socklen_t(MemoryLayout.size(ofValue: info))
        guard getsockopt(listener, Int32(IPPROTO_TCP), TCP_INFO, &info, &size) == 0 else { return nil }
        return ListenQueue(length: info.tcpi_unacked, limit: info.tcpi_sacked)
    }

    /// Queries the accept queue of a Unix socket, which is available through sock_diag(7) only.
    private static func unix(_ listener: Int32) -> ListenQueue? {
        var status = stat()
        let netlink = socket(AF_NETLINK, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), NETLINK_SOCK_DIAG)
        guard netlink >= 0 else { return nil }
        defer { close(netlink) }
        guard fstat(listener, &status) == 0 else { return nil }
        var request = unix_queue_request(UInt32(truncatingIfNeeded: status.st_ino))
        guard send(netlink, &request, MemoryLayout.size(ofValue: request), 0) > 0 else { return nil }
        var response = [UInt8](repeating: 0, count: 4096)
        let count = recv(netlink, &response, response.count, Int32(MSG_DONTWAIT))
        var queue = unix_diag_rqlen()
        guard count > 0, unix_queue_response(response, Int32(count), &queue) == 1 else { return nil }
        return ListenQueue(length: queue.udiag_rqueue, limit: queue.udiag_wqueue)
    }
}
