import ArgumentParser
import Foundation
import TestSupport

/// Runs the whole service under load and faults that follow from seeds, and looks whether it keeps its promises.
@main
struct Faults: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the whole service under load and random faults, and look whether it keeps its promises.",
        discussion: "A round follows from its seed. One that fails prints it: --seed N runs that round again.")

    @Option(help: "The program: aktify.")
    var program = "\(checkout)/.build/release/aktify"

    @Option(help: "Run the one round of this seed.")
    var seed: UInt64?

    @Option(help: "Run rounds for so many seconds; else $FAULT_SECONDS. (default: 60)")
    var seconds: Double?

    @Option(help: "Run so many rounds.")
    var rounds: Int?

    @Option(help: "Draw from these faults only, all of them in each round.")
    var only: [FaultKind] = []

    @Flag(help: "Run each fault of the matrix by its name instead, and write docs/faults.md.")
    var matrix = false

    @Option(help: "Run a steady load with reloads for so many minutes instead, and look for growth.")
    var soak: Double?

    func run() throws {
        endOnSignals()
        guard access(program, X_OK) == 0 else { throw ValidationError("\(program) is not there: make build") }
        let stack = try Stack(program: program)
        defer { stack.end() }
        let isSound =
            if matrix {
                try Matrix(stack).run()
            } else if let soak {
                try Soak(stack, minutes: soak).run()
            } else {
                try runRounds(stack)
            }
        if isInterrupted.load(ordering: .relaxed) { throw ExitCode(130) }
        if !isSound { throw ExitCode(1) }
    }

    private func runRounds(_ stack: Stack) throws -> Bool {
        let limit = seconds ?? ProcessInfo.processInfo.environment["FAULT_SECONDS"].flatMap { Double($0) } ?? 60
        let end = now() + limit
        var (done, requests, failed) = (0, 0, [UInt64]())
        while !isInterrupted.load(ordering: .relaxed) {
            let plan = Plan(seed: seed ?? UInt64.random(in: 1...999_999_999), only: only)
            let findings = try Round(plan: plan, stack: stack).run()
            Report(plan: plan, only: only, findings: findings, stack: stack).show()
            (done, requests) = (done + 1, requests + findings.requests)
            if !findings.violations.isEmpty { failed.append(plan.seed) }
            if seed != nil || rounds.map({ done >= $0 }) ?? (now() >= end) { break }
        }
        say("\(done) rounds, \(requests) requests, \(failed.count) rounds failed")
        if !failed.isEmpty { say("failing seeds: \(failed.map { String($0) }.joined(separator: " "))") }
        return failed.isEmpty
    }
}
