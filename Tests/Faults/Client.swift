import Foundation
import Synchronization
import TestSupport

/// What a client does over and over.
enum Behaviour: String, CaseIterable {
    /// Reads, and requests that need no database, on kept connections.
    case reader
    /// Writes, on kept connections.
    case writer
    /// Any request, each on a connection of its own.
    case anything
    /// Writes, and goes away before the answer.
    case aborter
    /// Sends a few bytes at a time.
    case trickler
    /// Asks for the list, and does not read for a while.
    case staller
    /// Sends several requests to nginx without waiting for answers.
    case pipeliner
    /// Sends 1 MiB that is dear to parse.
    case hostile
    /// Writes once, together with others of its kind, and then not for a while.
    case burster
    /// Asks whether the process is well, all the time.
    case watcher
}

/// A client, on a thread of its own.
struct Client {
    let stack: Stack
    let ledger: Ledger
    let name: String
    var random: SeededGenerator
    private var count = 0

    init(_ stack: Stack, _ ledger: Ledger, name: String, seed: UInt64) {
        (self.stack, self.ledger, self.name, random) = (stack, ledger, name, SeededGenerator(seed: seed))
    }

    /// Goes on until it is told to stop.
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
            case .hostile: once(.hostile, way: .fastCGI)
            case .burster: burst(isOver)
            case .watcher: once(.health, way: .fastCGI)
            }
            pause(behaviour == .watcher ? 0.02 : random.seconds(0...0.004))
        }
    }

    private mutating func nextToken() -> String {
        count += 1
        return "\(name)-\(count)"
    }

    /// One request on a connection of its own.
    private mutating func once(_ route: Route, way: Way? = nil, pieces: Int? = nil, stall: Double = 0) {
        let (token, way) = (nextToken(), way ?? random.pick(Way.allCases))
        let began = now()
        let outcome = attempt(way) { caller in
            guard caller.send(Caller.bytes(route, token, way, keep: false), pieces: pieces) || route == .tooLarge else {
                return .cut("while it was sent")
            }
            pause(stall)
            return caller.read(route)
        }
        note(token, route, way, began, outcome)
    }

    /// Nobody's next request has a part in what becomes of this one.
    private mutating func burst(_ isOver: () -> Bool) {
        let pace = 1.3
        waitFor(pace) { isOver() || now().truncatingRemainder(dividingBy: pace) < 0.03 }
        once(.create)
    }

    private func attempt(_ way: Way, _ body: (Caller) -> Outcome) -> Outcome {
        do { return body(try Caller(stack, way)) } catch { return .cut("\(error)") }
    }

    private func note(
        _ token: String, _ route: Route, _ way: Way, _ began: Double, _ outcome: Outcome, isReused: Bool = false
    ) {
        if case .cut = outcome { pause(0.02) }
        ledger.add(
            Exchange(
                token: token, route: route, way: way, began: began, ended: now(), isReused: isReused, outcome: outcome))
    }

    /// Requests one after the other on a connection, which is kept for no longer than nginx keeps one: a worker that drains
    /// waits for its end.
    private mutating func keep(_ routes: [Route], _ isOver: () -> Bool) {
        let way = random.pick(Way.allCases)
        guard let caller = try? Caller(stack, way) else {
            return note(nextToken(), routes[0], way, now(), .cut("cannot connect"))
        }
        while !isOver(), now() - caller.opened < 0.5 {
            let (token, route, began) = (nextToken(), random.pick(routes), now())
            let isReused = caller.answers > 0
            let sent = caller.send(Caller.bytes(route, token, way, keep: true))
            let outcome = sent ? caller.read(route) : .cut("while it was sent")
            note(token, route, way, began, outcome, isReused: isReused)
            guard case .answered(let answer) = outcome, answer.headers["connection"] != "close" else { return }
        }
    }

    /// A write whose client goes away at once, or soon.
    private mutating func abort() {
        let (token, way, began) = (nextToken(), random.chance(0.8) ? Way.fastCGI : .nginx, now())
        let bytes = Caller.bytes(.create, token, way, keep: false)
        let (whole, wait) = (random.chance(0.9), random.chance(0.3) ? 0 : random.seconds(0...0.003))
        let outcome = attempt(way) { caller in
            _ = caller.send(whole ? bytes : Array(bytes.prefix(bytes.count / 2)))
            pause(wait)
            return .abandoned
        }
        note(token, .create, way, began, outcome)
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

    /// Ends it, and waits for the answers that are still due.
    func stop() -> Bool {
        isOver.store(true, ordering: .relaxed)
        return threads.join(Double(Caller.patience) + 5)
    }
}
