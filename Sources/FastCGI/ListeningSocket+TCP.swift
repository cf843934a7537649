import EventLoop
import Glibc

extension ListeningSocket {
    static func bind(host: String, port: UInt16, backlog: Int32) throws -> ListeningSocket {
        let address = try resolve(host, port)
        defer { freeaddrinfo(address) }
        let name = "\(host):\(port)"
        let socket = ListeningSocket(
            descriptor: try check("socket", Glibc.socket(address.pointee.ai_family, streamSocket, 0)))
        var on: Int32 = 1
        setsockopt(socket.descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout.size(ofValue: on)))
        try check("bind \(name)", Glibc.bind(socket.descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen))
        try check("listen \(name)", listen(socket.descriptor, backlog))
        return socket
    }

    /// Resolves a host name with getaddrinfo(3). The caller frees the result with freeaddrinfo(3).
    /// - Throws: `Unavailable` when the name cannot be resolved.
    static func resolve(_ host: String, _ port: UInt16) throws -> UnsafeMutablePointer<addrinfo> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host.isEmpty ? nil : host, String(port), &hints, &found)
        guard code == 0, let found else {
            throw Unavailable(description: "cannot resolve \(host):\(port): \(String(cString: gai_strerror(code)))")
        }
        return found
    }
}
