import Foundation
import TestSupport

/// The printed report of a round.
struct Report {
    let plan: Plan
    let only: [FaultKind]
    let findings: Round.Findings
    let stack: Stack

    private var health: String {
        let slowest = findings.exchanges.filter { $0.route == .health }.map(\.seconds).max() ?? 0
        return "; /healthz took up to \(slowest.rounded2) s, the machine's own delay was \(findings.noise.rounded2) s"
    }

    func show() {
        let statuses = findings.statuses.sorted { $0.key < $1.key }.map { "\($1) x \($0)" }.joined(separator: ", ")
        say("\(findings.violations.isEmpty ? "✔" : "✘") \(plan.description)")
        say("    \(findings.requests) requests in \(findings.seconds.rounded2) s: \(statuses)\(health)")
        guard !findings.violations.isEmpty else { return }
        for violation in findings.violations { say("  ✘ \(violation)") }
        let log = "\(stack.folder.path)/master-\(plan.seed).log"
        let kept = "/tmp/aktify-faults-\(plan.seed).log"
        try? FileManager.default.removeItem(atPath: kept)
        try? FileManager.default.copyItem(atPath: log, toPath: kept)
        say(
            "    log: \(kept); repeat with: faults --seed \(plan.seed)" + only.map { " --only \($0.rawValue)" }.joined()
        )
    }
}

/// Prints a line, and flushes the output, so that the line appears at once even if the output is a pipe.
func say(_ text: String) {
    print(text)
    fflush(nil)
}
