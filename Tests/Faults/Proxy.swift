import Foundation
import Synchronization
import TestSupport

/// A proxy between the workers and Postgres, which can delay, trickle, cut and block their connections, and checks the
/// protocol.
final class Proxy: Sendable {
    /// The faults to inject.
    struct Mode {
        /// The delay of each piece of data, in seconds.
        var delay = 0.0
        /// The delay of the first bytes of a new connection, in seconds.
        var connectDelay = 0.0
        var tricklesBytes = false
        /// Whether all data is held back.
        var isBlackHole = false
        var refuses = false
    }

    let folder: String
    private let listener: Socket
    private let target: String
    private let state = Mutex(Mode())
    private let open = Mutex<[ObjectIdentifier: Link]>([:])
    private let interleavings = Mutex<[String]>([])

    init(folder: String, target: String) throws {
        (self.folder, self.target) = (folder, target)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        listener = try Socket(listeningOn: "\(folder)/.s.PGSQL.5432")
        Thread { [self] in accept() }.start()
    }

    var mode: Mode { state.withLock { $0 } }
    func change(_ body: (inout Mode) -> Void) { state.withLock { body(&$0) } }

    /// Returns and clears the cases in which reads and writes shared a connection.
    func takeInterleavings() -> [String] {
        interleavings.withLock {
            let found = $0
            $0 = []
            return found
        }
    }

    /// Closes connections, each with this probability.
    func cut(_ probability: Double, _ random: inout SeededGenerator) {
        for link in open.withLock({ Array($0.values) }) where random.chance(probability) { link.end() }
    }

    var connections: Int { open.withLock { $0.count } }

    private func accept() {
        while true {
            let descriptor = Glibc.accept(listener.descriptor, nil, nil)
            guard descriptor >= 0 else {
                pause(0.01)
                continue
            }
            let client = Socket(adopting: descriptor)
            guard !mode.refuses, let server = try? Socket(path: target) else { continue }
            let link = Link(client: client, server: server, proxy: self)
            open.withLock { $0[ObjectIdentifier(link)] = link }
            link.start()
        }
    }

    fileprivate func ended(_ link: Link, _ found: [String]) {
        _ = open.withLock { $0.removeValue(forKey: ObjectIdentifier(link)) }
        interleavings.withLock { $0 += found }
    }
}

/// A connection through the proxy.
private final class Link: Sendable {
    private let client: Socket
    private let server: Socket
    private unowned let proxy: Proxy
    private let conversation = Mutex(Conversation())

    init(client: Socket, server: Socket, proxy: Proxy) {
        (self.client, self.server, self.proxy) = (client, server, proxy)
    }

    func start() {
        Thread { [self] in
            pump(from: client, to: server) { bytes in conversation.withLock { $0.sent(bytes) } }
            proxy.ended(self, conversation.withLock { $0.interleavings })
        }.start()
        Thread { [self] in pump(from: server, to: client) { bytes in conversation.withLock { $0.received(bytes) } } }
            .start()
    }

    func end() {
        shutdown(client.descriptor, Int32(SHUT_RDWR))
        shutdown(server.descriptor, Int32(SHUT_RDWR))
    }

    private func pump(from source: Socket, to sink: Socket, _ look: ([UInt8]) -> Void) {
        pause(proxy.mode.connectDelay)
        while true {
            var readable = pollfd(fd: source.descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&readable, 1, 1000) > 0 else { continue }
            let bytes = source.receive()
            let mode = proxy.mode
            pause(mode.delay)
            while proxy.mode.isBlackHole { pause(0.005) }
            guard !bytes.isEmpty else { return end() }
            look(bytes)
            let size = mode.tricklesBytes ? 1 : bytes.count
            for start in stride(from: 0, to: bytes.count, by: size) {
                guard sink.send(Array(bytes[start..<min(start + size, bytes.count)])) else { return end() }
                if mode.tricklesBytes { pause(0.00005) }
            }
        }
    }
}
