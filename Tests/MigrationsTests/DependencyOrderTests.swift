import Testing

@testable import Migrations

@Suite struct DependencyOrderTests {
    @Test func `elements come after their dependencies and otherwise keep their order`() {
        let order = DependencyOrder(count: 5, dependencies: [0: [3], 2: [0, 4]])
        #expect(order.indices == [1, 3, 0, 4, 2] && order.cycle.isEmpty)
    }

    @Test func `a cycle is reported without the elements that depend on it`() {
        let order = DependencyOrder(count: 7, dependencies: [0: [1], 1: [0], 3: [1], 4: [3], 5: [6], 6: [5, 0]])
        #expect(order.indices == [2] && order.cycle == [0, 1, 5, 6])
    }
}
