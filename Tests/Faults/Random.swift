import TestSupport

extension SeededGenerator {
    /// Returns true with this probability.
    mutating func chance(_ probability: Double) -> Bool { .random(in: 0..<1, using: &self) < probability }

    /// Returns a random element.
    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[.random(in: 0..<elements.count, using: &self)]
    }

    mutating func seconds(_ range: ClosedRange<Double>) -> Double { .random(in: range, using: &self) }
}
