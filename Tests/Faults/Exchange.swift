import Synchronization
import TestSupport

/// The path of a request to the workers: through nginx, or directly over FastCGI.
enum Transport: String, CaseIterable { case nginx, fastCGI }

/// The outcome of a request.
enum Outcome {
    case answered(Answer)
    /// The connection could not be opened, or was closed before the response was complete.
    case cut(String)
    /// The client disconnected.
    case abandoned
    /// There was no response in time.
    case timedOut
}

/// A request and its outcome.
struct Exchange {
    let token: String
    let route: Route
    let transport: Transport
    /// The time at which the client started the request, in seconds of the monotonic clock.
    let began: Double
    /// The time at which the outcome was known, in seconds of the monotonic clock.
    let ended: Double
    /// Whether earlier requests were sent on the same connection. The peer may close an idle connection, which is not a
    /// failure of the request.
    let isReused: Bool
    let outcome: Outcome

    var status: Int { if case .answered(let answer) = outcome { answer.status } else { 0 } }
    var seconds: Double { ended - began }
}

/// All exchanges of a round.
final class Ledger: Sendable {
    private let exchanges = Mutex<[Exchange]>([])
    private let counts = Mutex<[Int: Int]>([:])
    /// Whether exchanges are stored; they are always counted.
    private let keeps: Bool

    init(keeps: Bool = true) { self.keeps = keeps }

    func add(_ exchange: Exchange) {
        counts.withLock { $0[exchange.status, default: 0] += 1 }
        if keeps { exchanges.withLock { $0.append(exchange) } }
    }

    /// The number of exchanges by status; 0 stands for no response.
    var statuses: [Int: Int] { counts.withLock { $0 } }

    var all: [Exchange] { exchanges.withLock { $0 } }
}
