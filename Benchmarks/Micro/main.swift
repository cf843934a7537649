// Measures the CPU time per request, in microseconds, of the application's own layers: routing, handler, service,
// statement, row decoding, models, JSON, and header fields. Postgres, FastCGI and nginx are excluded: statements
// return a prepared result. Exits with 1 if a budget is exceeded.

import AktifyAPI
import EventLoop
import Glibc
import HTTPTypes
import ORM
import Postgres
import SQL
import Web

/// An executor that returns the same result for every statement.
struct PreparedExecutor: StatementExecutor {
    let result: Result

    func read(_: Statement) async throws -> Result { result }
    func write(_: Statement) async throws -> Result { result }
    func write(_ statements: [Statement]) async throws -> [Result] { statements.map { _ in result } }
    func transaction<Value>(
        _: IsolationLevel?, _ body: (any StatementExecutor) async throws -> Value
    ) async throws -> Value { try await body(self) }
}

/// Creates the result of a query for campaigns, in Postgres's binary format.
func campaigns(_ count: Int) -> Result {
    func encoded(_ value: some SQLValue) -> [UInt8]? {
        var bytes: [UInt8] = []
        return value.encode(into: &bytes) ? bytes : nil
    }
    let now = Timestamp(unixSeconds: 1_795_419_216)
    let rows = (0..<count).map { row in
        [
            encoded(Int64(row)), encoded("Campaign \(row)"), encoded("A description"), encoded(true), encoded(now),
            encoded(now), encoded(Int64(1)),
        ]
    }
    return Result.made(types: [20, 25, 25, 16, 1114, 1114, 20], rows: rows)
}

/// Returns the CPU time that the process has used, in microseconds.
func microsecondsOfCPU() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
}

/// Measures the CPU time of a request: the lowest average of ten rounds of `times` requests each, because disturbances
/// only make a round slower.
/// - Returns: Whether the CPU time is within `budget`, in microseconds.
func measure(_ name: String, rows: Int, target: String, times: Int, budget: Double) throws -> Bool {
    let best = try Loop.run {
        let config = try Config(environment: ["AUTH": "off"], readFile: { _ in nil })
        let database = Database(executor: PreparedExecutor(result: campaigns(rows)), slow: .seconds(3600))
        let app = try createApp(config, database: database)
        var best = Double.infinity
        for _ in 0..<10 {
            let start = microsecondsOfCPU()
            for _ in 0..<times {
                let response = await app.respond(to: Request(method: .get, target: target))
                precondition(response.status == .ok)
            }
            best = min(best, (microsecondsOfCPU() - start) / Double(times))
        }
        return best
    }
    let isWithin = best <= budget
    let rounded = (best * 10).rounded() / 10
    print("\(name): \(rounded) us of CPU, budget \(budget) us\(isWithin ? "" : ": OVER BUDGET")")
    return isWithin
}

/// Measures the CPU time of a request with each large body: the maximum of three requests after a warm-up, because the
/// worst case matters here, not the average.
/// - Returns: For each body, whether the CPU time is within `budget`, in microseconds.
func measureLargeBodies(budget: Double) throws -> [Bool] {
    try LargeBodies.all.map { name, body in
        let longest = try Loop.run {
            let config = try Config(environment: ["AUTH": "off"], readFile: { _ in nil })
            let database = Database(executor: PreparedExecutor(result: campaigns(1)), slow: .seconds(3600))
            let app = try createApp(config, database: database)
            var times: [Double] = []
            for _ in 0..<4 {
                let start = microsecondsOfCPU()
                _ = await app.respond(
                    to: Request(
                        method: .post, target: "/campaigns/", headers: [.contentType: "application/json"], body: body))
                times.append(microsecondsOfCPU() - start)
            }
            return times.dropFirst().max() ?? 0
        }
        let isWithin = longest <= budget
        print("1 MiB, \(name): \(Int(longest)) us of CPU, budget \(budget) us\(isWithin ? "" : ": OVER BUDGET")")
        return isWithin
    }
}

/// Measures the CPU time of serializing each large string: the maximum of three serializations after a warm-up, because
/// the worst case matters here, not the average.
/// - Returns: For each string, whether the CPU time is within `budget`, in microseconds.
func measureLargeTexts(budget: Double) -> [Bool] {
    LargeTexts.all.map { name, text in
        var times: [Double] = []
        for _ in 0..<4 {
            let start = microsecondsOfCPU()
            let response = Response.json(text)
            times.append(microsecondsOfCPU() - start)
            precondition(response.status == .ok)
        }
        let longest = times.dropFirst().max() ?? 0
        let isWithin = longest <= budget
        print(
            "1 MiB serialized, \(name): \(Int(longest)) us of CPU, budget \(budget) us\(isWithin ? "" : ": OVER BUDGET")"
        )
        return isWithin
    }
}

let outcomes =
    try [
        measure("one campaign", rows: 1, target: "/campaigns/1", times: 20_000, budget: 10),
        measure("100 campaigns", rows: 100, target: "/campaigns/", times: 2000, budget: 50),
    ] + measureLargeBodies(budget: 5000) + measureLargeTexts(budget: 5000)
exit(outcomes.allSatisfy { $0 } ? 0 : 1)
