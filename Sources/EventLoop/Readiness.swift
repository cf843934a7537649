import CLinux
import Glibc

/// What epoll reports of a descriptor, and what a watch asks it for (epoll_ctl(2)).
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    private init(_ events: EPOLL_EVENTS) { rawValue = events.rawValue }

    /// There is something to read, or the end of the stream.
    public static let readable = Readiness(EPOLLIN)
    /// There is room to write.
    public static let writable = Readiness(EPOLLOUT)
    /// The peer closed its writing side, or all of the connection.
    public static let peerClosed = Readiness(EPOLLRDHUP)
    /// Both directions are closed; always reported.
    public static let hangUp = Readiness(EPOLLHUP)
    /// The descriptor is in error; always reported.
    public static let error = Readiness(EPOLLERR)
    /// Ask only: report changes instead of states.
    public static let edgeTriggered = Readiness(EPOLLET)
    /// Ask only: of several loops that watch one descriptor, wake as few as possible.
    public static let exclusive = Readiness(EPOLLEXCLUSIVE)
}
