import Supervisor
import TestSupport
import Testing

/// The kernel is asked how many connections wait to be accepted.
@Suite struct ListenQueueTests {
    @Test func `connections that nobody has accepted are counted, on a Unix socket`() throws {
        let folder = try Folder()
        let listener = try Socket(listeningOn: "\(folder.path)/socket")
        let clients = try (0..<3).map { _ in try Socket(path: "\(folder.path)/socket") }
        let queue = try #require(ListenQueue(of: listener.descriptor))
        #expect(queue.length == clients.count && queue.limit == 511)
    }

    @Test func `and on a port`() throws {
        let (listener, port) = try Socket.listening()
        let clients = try (0..<3).map { _ in try Socket(port: port) }
        let queue = try #require(ListenQueue(of: listener.descriptor))
        #expect(queue.length == clients.count && queue.limit == 511)
    }

    @Test func `what is no socket has none`() { #expect(ListenQueue(of: -1) == nil) }
}
