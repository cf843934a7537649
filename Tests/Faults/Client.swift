import Foundation
import Synchronization
import TestSupport

/// The behaviour that a client repeats.
enum Behaviour: String, CaseIterable {
    /// Sends reads, and requests that need no database, on kept-alive connections.
    case reader
    /// Sends writes on kept-alive connections.
    case writer
    /// Sends requests of any kind, each on a new connection.
    case anything
    /// Sends writes, and disconnects before the response.
    case aborter
    /// Sends requests a few bytes at a time.
    case trickler
    /// Requests the list, and does not read the response for a while.
    case staller
    /// Sends several requests to nginx without waiting for the responses (pipelining).
    case pipeliner
    /// Sends bodies of almost 1 MiB that are expensive to parse.
    case hostile
    /// Sends one write every 1.3 seconds, at the same time as the other clients of this kind.
    case burster
    /// Sends health checks continuously.
    case watcher
}

/// A client, which runs on its own thread.
struct Client {
    let stack: Stack
    let ledger: Ledger
    let name: String
    var random: SeededGenerator
    private var count = 0

    init(_ stack: Stack, _ ledger: Ledger, name: String, seed: UInt64) {
        (self.stack, self.ledger, self.name, random) = (stack, ledger, name, SeededGenerator(seed: seed))
    }

    /// Repeats a behaviour until `isOver` returns true.
    mutating func run(_ behaviour: Behaviour, until isOver: () -> Bool) {
        while !isOver() {
            switch behaviour {
            case .reader: keep([.one, .one, .list, .missing, .greeting, .ready, .head], isOver)
            case .writer: keep([.create], isOver)
            case .anything: once(random.pick(Array(Route.allCases.filter { $0 != .hostile })))
            case .aborter: abort()
            case .trickler: once(random.pick([.one, .create, .invalid, .redirect]), pieces: 40)
            case .staller: once(.list, stall: random.seconds(0.1...0.8))
            case .pipeliner: pipeline()
            case .hostile: once(.hostile, transport: .fastCGI)
            case .burster: burst(isOver)
            case .watcher: once(.health, transport: .fastCGI)
            }
            pause(behaviour == .watcher ? 0.02 : random.seconds(0...0.004))
        }
    }

    private mutating func nextToken() -> String {
        count += 1
        return "\(name)-\(count)"
    }

    /// Sends one request on a new connection.
    private mutating func once(_ route: Route, transport: Transport? = nil, pieces: Int? = nil, stall: Double = 0) {
        let (token, transport) = (nextToken(), transport ?? random.pick(Transport.allCases))
        let began = now()
        let outcome = attempt(transport) { caller in
            guard caller.send(Caller.bytes(route, token, transport, keep: false), pieces: pieces) || route == .tooLarge
            else {
                return .cut("while the request was sent")
            }
            pause(stall)
            return caller.read(route)
        }
        note(token, route, transport, began, outcome)
    }

    /// Waits for the next multiple of 1.3 seconds, and sends a write. All clients of this kind send at that time. A
    /// write waits up to one second for a connection, so a burst has ended before the next one begins.
    private mutating func burst(_ isOver: () -> Bool) {
        let pace = 1.3
        func isInWindow() -> Bool { now().truncatingRemainder(dividingBy: pace) < 0.03 }
        waitFor(pace) { isOver() || !isInWindow() }
        waitFor(pace) { isOver() || isInWindow() }
        once(.create)
    }

    private func attempt(_ transport: Transport, _ body: (Caller) -> Outcome) -> Outcome {
        do { return body(try Caller(stack, transport)) } catch { return .cut("\(error)") }
    }

    private func note(
        _ token: String, _ route: Route, _ transport: Transport, _ began: Double, _ outcome: Outcome,
        isReused: Bool = false
    ) {
        if case .cut = outcome { pause(0.02) }
        ledger.add(
            Exchange(
                token: token, route: route, transport: transport, began: began, ended: now(), isReused: isReused,
                outcome: outcome))
    }

    /// Sends consecutive requests on one connection for up to half a second. The time is short because a draining
    /// worker waits until its connections are closed.
    private mutating func keep(_ routes: [Route], _ isOver: () -> Bool) {
        let transport = random.pick(Transport.allCases)
        guard let caller = try? Caller(stack, transport) else {
            return note(nextToken(), routes[0], transport, now(), .cut("cannot connect"))
        }
        while !isOver(), now() - caller.opened < 0.5 {
            let (token, route, began) = (nextToken(), random.pick(routes), now())
            let isReused = caller.answers > 0
            let sent = caller.send(Caller.bytes(route, token, transport, keep: true))
            let outcome = sent ? caller.read(route) : .cut("while the request was sent")
            note(token, route, transport, began, outcome, isReused: isReused)
            guard case .answered(let answer) = outcome, answer.headers["connection"] != "close" else { return }
        }
    }

    /// Sends a write, and disconnects immediately or soon.
    private mutating func abort() {
        let (token, transport, began) = (nextToken(), random.chance(0.8) ? Transport.fastCGI : .nginx, now())
        let bytes = Caller.bytes(.create, token, transport, keep: false)
        let (whole, wait) = (random.chance(0.9), random.chance(0.3) ? 0 : random.seconds(0...0.003))
        let outcome = attempt(transport) { caller in
            _ = caller.send(whole ? bytes : Array(bytes.prefix(bytes.count / 2)))
            pause(wait)
            return .abandoned
        }
        note(token, .create, transport, began, outcome)
    }

    private mutating func pipeline() {
        let requests = (0..<random.pick([2, 3, 5])).map { _ in
            (token: nextToken(), route: random.pick([Route.one, .greeting, .missing, .redirect]))
        }
        let began = now()
        guard let caller = try? Caller(stack, .nginx) else { return }
        _ = caller.send(requests.flatMap { Caller.bytes($0.route, $0.token, .nginx, keep: true) })
        for (place, request) in requests.enumerated() {
            let outcome = caller.read(request.route)
            note(request.token, request.route, .nginx, began, outcome, isReused: place > 0)
            guard case .answered = outcome else { return }
        }
    }
}

/// The clients of a round.
final class Load: Sendable {
    let ledger: Ledger
    private let threads = Threads()
    private let isOver = Atomic<Bool>(false)

    init(_ stack: Stack, _ behaviours: [Behaviour], seed: UInt64, keeps: Bool = true) {
        ledger = Ledger(keeps: keeps)
        for (index, behaviour) in behaviours.enumerated() {
            let name = "\(behaviour.rawValue)-\(seed)-\(index)"
            let (ledger, seed) = (ledger, seed &+ UInt64(index) &* 7919)
            threads.start { [self] in
                var client = Client(stack, ledger, name: name, seed: seed)
                client.run(behaviour) { isOver.load(ordering: .relaxed) || isInterrupted.load(ordering: .relaxed) }
            }
        }
    }

    /// Stops the load, and waits until all clients have ended, for at most the timeout of a response plus 5 seconds.
    /// - Returns: whether all clients have ended.
    func stop() -> Bool {
        isOver.store(true, ordering: .relaxed)
        return threads.join(Double(Caller.timeout) + 5)
    }
}
