/// Puts things in an order in which each comes after all that it depends on; what may come next in several ways comes by its place.
struct DependencyOrder {
    /// The places of all of them, in order.
    private(set) var places: [Int] = []
    /// The places of those that depend on each other in a circle.
    private(set) var circle: [Int] = []

    /// Orders the places below `count`.
    /// - Parameter dependencies: the places that must come before a place.
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

    /// Whether a place depends on itself, by way of others.
    private static func reaches(_ place: Int, _ dependencies: [Int: Set<Int>]) -> Bool {
        var (next, seen) = (Array(dependencies[place] ?? []), Set<Int>())
        while let other = next.popLast() {
            if other == place { return true }
            if seen.insert(other).inserted { next += dependencies[other] ?? [] }
        }
        return false
    }
}
