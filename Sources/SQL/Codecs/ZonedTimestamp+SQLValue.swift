/// A moment for a column of type `timestamp with time zone`, which keeps UTC like the other, and says so.
public struct ZonedTimestamp: Hashable, Comparable, Sendable {
    /// The moment.
    public var utc: Timestamp

    /// Makes it of a moment.
    public init(_ utc: Timestamp) { self.utc = utc }

    public static func < (left: Self, right: Self) -> Bool { left.utc < right.utc }
}

/// `timestamp with time zone`: the same bytes as without.
extension ZonedTimestamp: SQLValue {
    public static var type: UInt32 { 1184 }
    public static var arrayType: UInt32 { 1185 }
    public static var typeName: String { "timestamp with time zone" }
    public static var samples: [Self] { Timestamp.samples.map(ZonedTimestamp.init) }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) { utc = try Timestamp(binary: binary) }

    public func encode(into buffer: inout [UInt8]) -> Bool { utc.encode(into: &buffer) }
}
