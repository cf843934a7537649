struct Matrix {
    init(_ stack: Stack) {}
    func run() throws -> Bool { true }
}
