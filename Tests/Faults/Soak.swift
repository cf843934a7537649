struct Soak {
    init(_ stack: Stack, minutes: Double) {}
    func run() throws -> Bool { true }
}
