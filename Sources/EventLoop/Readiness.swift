import CLinux
import Glibc

/// The epoll events that a watch requests and that epoll reports for a descriptor (epoll_ctl(2)).
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    private init(_ events: EPOLL_EVENTS) { rawValue = events.rawValue }

    /// Data can be read, or the end of the stream was reached.
    public static let readable = Readiness(EPOLLIN)
    /// Data can be written.
    public static let writable = Readiness(EPOLLOUT)
    /// The peer closed the connection, or shut down its writing half.
    public static let peerClosed = Readiness(EPOLLRDHUP)
    /// Both directions are closed. Always reported, whether requested or not.
    public static let hangUp = Readiness(EPOLLHUP)
    /// The descriptor has an error condition. Always reported, whether requested or not.
    public static let error = Readiness(EPOLLERR)
    /// Requests edge-triggered notification: epoll reports changes of readiness rather than the state. Never reported.
    public static let edgeTriggered = Readiness(EPOLLET)
    /// Requests that as few epoll instances as possible are woken when several of them watch the descriptor. Never
    /// reported.
    public static let exclusive = Readiness(EPOLLEXCLUSIVE)
}
