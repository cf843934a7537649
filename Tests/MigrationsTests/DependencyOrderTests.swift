import Testing

@testable import Migrations

@Suite struct DependencyOrderTests {
    @Test func `what depends on nothing keeps its order, and the rest comes after what it depends on`() {
        let order = DependencyOrder(count: 5, dependencies: [0: [3], 2: [0, 4]])
        #expect(order.places == [1, 3, 0, 4, 2] && order.circle.isEmpty)
    }

    @Test func `a circle is told without what depends on it`() {
        let order = DependencyOrder(count: 7, dependencies: [0: [1], 1: [0], 3: [1], 4: [3], 5: [6], 6: [5, 0]])
        #expect(order.places == [2] && order.circle == [0, 1, 5, 6])
    }
}
