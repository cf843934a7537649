import Synchronization
import TestSupport

/// How a request reached the workers.
enum Way: String, CaseIterable { case nginx, fastCGI }

/// What became of a request.
enum Outcome {
    case answered(Answer)
    /// The connection ended, or could not be made, before the whole answer was there.
    case cut(String)
    /// The client itself went away.
    case abandoned
    /// No answer came in time.
    case silent
}

/// One request, and what became of it.
struct Exchange {
    let token: String
    let route: Route
    let way: Way
    /// When it began, and when its outcome was known, in seconds.
    let began: Double
    let ended: Double
    /// Whether it was not the first on its connection: one that the peer closes at that moment says nothing of the request.
    let isReused: Bool
    let outcome: Outcome

    var status: Int { if case .answered(let answer) = outcome { answer.status } else { 0 } }
    var seconds: Double { ended - began }
}

/// All exchanges of a round.
final class Ledger: Sendable {
    private let exchanges = Mutex<[Exchange]>([])
    private let counts = Mutex<[Int: Int]>([:])
    /// Whether they are kept; counted they are always.
    private let keeps: Bool

    init(keeps: Bool = true) { self.keeps = keeps }

    func add(_ exchange: Exchange) {
        counts.withLock { $0[exchange.status, default: 0] += 1 }
        if keeps { exchanges.withLock { $0.append(exchange) } }
    }

    /// How many were answered with each status.
    var statuses: [Int: Int] { counts.withLock { $0 } }

    var all: [Exchange] { exchanges.withLock { $0 } }
}
