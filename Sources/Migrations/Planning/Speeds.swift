/// The speeds of a server's operations on tables, in bytes of table size per second.
struct Speeds: Hashable, Sendable {
    /// The speed of a sequential scan.
    let scan: Double
    /// The speed of rewriting a table, not counting the rebuilding of its indexes.
    let rewrite: Double
    /// The speed of an index build.
    let build: Double
    /// The speed of updating all rows of a table with one index.
    let update: Double

    /// Low speeds, assumed instead of measured ones if the affected tables are small (at most 1 MB in total).
    static let slow = Speeds(scan: 1e7, rewrite: 1e7, build: 1e7, update: 1e7)

    /// Returns the sum of the estimated durations of effects on tables of these sizes; `nil` if none can be estimated.
    /// An effect is left out if the table's size is unknown, the table is truncated, or only some of its rows are
    /// changed.
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
        // If all rows are read, all may be updated: each is written again, and into each index.
        case .changesRows(let table):
            let isWhole = effects.contains { if case .scans(table, _) = $0 { true } else { false } }
            return isWhole ? bytes / update * Double(1 + size.indexes) / 2 : nil
        }
    }
}
