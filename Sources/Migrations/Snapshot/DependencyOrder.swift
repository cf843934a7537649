/// A topological sort: each element comes after its dependencies, and otherwise elements keep their order.
struct DependencyOrder {
    /// The indices of the sorted elements.
    private(set) var indices: [Int] = []
    /// The indices of the elements in dependency cycles. These elements, and those that depend on them, are not in
    /// `indices`.
    private(set) var cycle: [Int] = []

    /// Sorts the indices below `count`.
    /// - Parameters:
    ///   - count: the number of elements.
    ///   - dependencies: for each index, the indices that must come before it.
    init(count: Int, dependencies: [Int: Set<Int>]) {
        var unmet = dependencies
        var dependents: [Int: [Int]] = [:]
        for (index, others) in dependencies { for other in others { dependents[other, default: []].append(index) } }
        var ready = (0..<count).filter { unmet[$0]?.isEmpty ?? true }
        while !ready.isEmpty {
            let next = ready.removeFirst()
            indices.append(next)
            for index in dependents[next] ?? [] where unmet[index]?.remove(next) != nil && unmet[index]?.isEmpty == true
            {
                ready.insert(index, at: ready.firstIndex { $0 > index } ?? ready.endIndex)
            }
        }
        cycle = Set(0..<count).subtracting(indices).sorted().filter { DependencyOrder.reaches($0, unmet) }
    }

    /// Whether an element depends on itself, directly or indirectly.
    private static func reaches(_ index: Int, _ dependencies: [Int: Set<Int>]) -> Bool {
        var (next, seen) = (Array(dependencies[index] ?? []), Set<Int>())
        while let other = next.popLast() {
            if other == index { return true }
            if seen.insert(other).inserted { next += dependencies[other] ?? [] }
        }
        return false
    }
}
