/// A topological sort: each element comes after its dependencies, and otherwise elements keep their order.
struct DependencyOrder {
    /// The indices of the sorted elements.
    private(set) var places: [Int] = []
    /// The indices of elements in a dependency cycle.
    private(set) var circle: [Int] = []

    /// Sorts the indices below `count`.
    /// - Parameters:
    ///   - count: the number of elements.
    ///   - dependencies: for each index, the indices that must come before it.
    init(count: Int, dependencies: [Int: Set<Int>]) {
        var left = dependencies
        var dependents: [Int: [Int]] = [:]
        for (place, others) in dependencies { for other in others { dependents[other, default: []].append(place) } }
        var ready = (0..<count).filter { left[$0]?.isEmpty ?? true }
        while !ready.isEmpty {
            let next = ready.removeFirst()
            places.append(next)
            for place in dependents[next] ?? [] where left[place]?.remove(next) != nil && left[place]?.isEmpty == true {
                ready.insert(place, at: ready.firstIndex { $0 > place } ?? ready.endIndex)
            }
        }
        circle = Set(0..<count).subtracting(places).sorted().filter { DependencyOrder.reaches($0, left) }
    }

    /// Whether an element depends on itself indirectly.
    private static func reaches(_ place: Int, _ dependencies: [Int: Set<Int>]) -> Bool {
        var (next, seen) = (Array(dependencies[place] ?? []), Set<Int>())
        while let other = next.popLast() {
            if other == place { return true }
            if seen.insert(other).inserted { next += dependencies[other] ?? [] }
        }
        return false
    }
}
