import ArgumentParser
import Foundation
import TestSupport

/// Runs the whole service under load and random faults, which are derived from seeds, and checks its guarantees.
@main
struct Faults: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the whole service under load and random faults, and check its guarantees.",
        discussion: "A round is derived from its seed. A failed round prints its seed, with which --seed repeats it.")

    @Option(help: "The path of the program, aktify.")
    var program = "\(checkout)/.build/release/aktify"

    @Option(help: "Run only the round with this seed.")
    var seed: UInt64?

    @Option(help: "Run rounds for this many seconds. (default: $FAULT_SECONDS, or 60)")
    var seconds: Double?

    @Option(help: "Run this many rounds.")
    var rounds: Int?

    @Option(help: "Use only these faults, all of them in each round.")
    var only: [FaultKind] = []

    @Flag(help: "Instead, run each row of the fault matrix, and write docs/faults.md.")
    var matrix = false

    @Option(help: "Instead, run a steady load with reloads for this many minutes, and check for growth.")
    var soak: Double?

    func run() throws {
        endOnSignals()
        guard access(program, X_OK) == 0 else {
            throw ValidationError("\(program) does not exist: build it with make build")
        }
        let stack = try Stack(program: program)
        defer { stack.end() }
        let hasPassed =
            if matrix {
                try Matrix(stack).run()
            } else if let soak {
                try Soak(stack, minutes: soak).run()
            } else {
                try runRounds(stack)
            }
        if isInterrupted.load(ordering: .relaxed) { throw ExitCode(130) }
        if !hasPassed { throw ExitCode(1) }
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
