@testable import SQL

extension FuzzTarget {
    /// A binary numeric is decoded or rejected; a decoded value is encoded and decoded as the same value. A numeric
    /// that is parsed from text, encoded and decoded keeps its value, at least when converted to `Double`.
    static let numeric = FuzzTarget(name: "numeric") { input in
        try check(Numeric.self, input)
        guard let number = Numeric(String(decoding: input, as: UTF8.self)) else { return }
        let decodedAgain = try decoded(Numeric.self, encoded(number))
        let (sent, read) = (Double(number.description), Double(decodedAgain.description))
        try require(sent == read || decodedAgain == number, "\(number) is encoded as \(decodedAgain)")
    }

    /// Binary arrays are decoded or rejected; a decoded array is encoded and decoded as the same array.
    static let arrays = FuzzTarget(name: "arrays") { input in
        try check([Int64].self, input)
        try check([String].self, input)
        try check([Int32?].self, input)
    }

    /// Binary values of a type that the first byte selects are decoded or rejected; a decoded value is encoded and
    /// decoded as the same value.
    static let values = FuzzTarget(name: "values") { input in
        let checks: [([UInt8]) throws -> Void] = [
            { try check(Bool.self, $0) }, { try check(Int16.self, $0) }, { try check(Int32.self, $0) },
            { try check(Int64.self, $0) }, { try check(String.self, $0) }, { try check(Bytes.self, $0) },
            { try check(Day.self, $0) }, { try check(JSONB.self, $0) }, { try check(JSONText.self, $0) },
            { try check(Timestamp.self, $0) }, { try check(ZonedTimestamp.self, $0) }, { try check(UUID.self, $0) },
            { try check(Int64?.self, $0) },
        ]
        guard let first = input.first else { return }
        try checks[Int(first) % checks.count](Array(input.dropFirst()))
        _ = try? decoded(Double.self, Array(input.dropFirst()))
        if let timestamp = try? decoded(Timestamp.self, Array(input.dropFirst())) { _ = timestamp.unixSeconds }
        guard let uuid = UUID(String(decoding: input, as: UTF8.self)) else { return }
        try require(UUID(uuid.description) == uuid, "\(uuid)")
    }

    private static func check<Value: SQLValue & Equatable>(_ type: Value.Type, _ bytes: [UInt8]) throws {
        guard let value = try? decoded(type, bytes) else { return }
        let decodedAgain = try decoded(type, encoded(value))
        try require(decodedAgain == value, "\(value) is encoded as \(decodedAgain)")
    }

    private static func decoded<Value: SQLValue>(_ type: Value.Type, _ bytes: [UInt8]) throws -> Value {
        try bytes.withUnsafeBytes { try Value(binary: $0) }
    }

    private static func encoded(_ value: some SQLValue) -> [UInt8] {
        var bytes: [UInt8] = []
        _ = value.encode(into: &bytes)
        return bytes
    }
}
