/// How fast a server works on tables, in bytes of the table a second.
struct Speeds: Hashable, Sendable {
    let scan: Double
    let rewrite: Double
    let build: Double
    /// Of updates of all rows, with one index.
    let update: Double

    /// A slow server's: for tables that are so small that no server works on them for a second.
    static let slow = Speeds(scan: 1e7, rewrite: 1e7, build: 1e7, update: 1e7)

    /// About how long effects take on tables of these sizes; `nil` when they read and write none whose size is known.
    func duration(of effects: [PlannedEffect], _ sizes: [String: RelationSize]) -> Duration? {
        let parts = effects.compactMap { effect in
            sizes[effect.table].flatMap { seconds(of: effect, $0, among: effects) }
        }
        return parts.isEmpty ? nil : .seconds(parts.reduce(0, +))
    }

    private func seconds(of effect: PlannedEffect, _ size: RelationSize, among effects: [PlannedEffect]) -> Double? {
        let bytes = Double(size.bytes)
        switch effect {
        case .rewrites: return bytes / rewrite + Double(size.indexes) * bytes / build
        case .scans(_, let times): return Double(times) * bytes / scan
        case .builds: return bytes / build
        case .truncates: return nil
        // Where all rows are read, all may be meant: each is written anew, and into each index.
        case .changesRows(let table):
            let isWhole = effects.contains { if case .scans(table, _) = $0 { true } else { false } }
            return isWhole ? bytes / update * Double(1 + size.indexes) / 2 : nil
        }
    }
}
