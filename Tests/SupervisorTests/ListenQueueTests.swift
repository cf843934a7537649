import Supervisor
import TestSupport
import Testing

/// The length of the accept queue, as the kernel reports it.
@Suite struct ListenQueueTests {
    @Test func `connections that were not accepted are counted on a Unix socket`() throws {
        let folder = try Folder()
        let listener = try Socket(listeningOn: "\(folder.path)/socket")
        let clients = try (0..<3).map { _ in try Socket(path: "\(folder.path)/socket") }
        let queue = try #require(ListenQueue(of: listener.descriptor))
        #expect(queue.length == clients.count && queue.limit == 511)
    }

    @Test func `connections that were not accepted are counted on a TCP socket`() throws {
        let (listener, port) = try Socket.listening()
        let clients = try (0..<3).map { _ in try Socket(port: port) }
        let queue = try #require(ListenQueue(of: listener.descriptor))
        #expect(queue.length == clients.count && queue.limit == 511)
    }

    @Test func `a descriptor that is not a socket has no accept queue`() { #expect(ListenQueue(of: -1) == nil) }
}
