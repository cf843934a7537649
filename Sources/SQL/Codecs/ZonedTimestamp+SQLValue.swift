/// A point in time for a column of type `timestamp with time zone`. Postgres stores UTC, as for a `Timestamp`, but the
/// text form of the value has a time zone.
public struct ZonedTimestamp: Hashable, Comparable, Sendable {
    /// The point in time, in UTC.
    public var utc: Timestamp

    /// Creates a value from a point in time.
    public init(_ utc: Timestamp) { self.utc = utc }

    public static func < (left: Self, right: Self) -> Bool { left.utc < right.utc }
}

/// Maps to the Postgres type `timestamp with time zone`, whose binary format is that of `timestamp without time zone`.
extension ZonedTimestamp: SQLValue {
    public static var type: UInt32 { 1184 }
    public static var arrayType: UInt32 { 1185 }
    public static var typeName: String { "timestamp with time zone" }
    public static var samples: [Self] { Timestamp.samples.map(ZonedTimestamp.init) }

    public init(binary: UnsafeRawBufferPointer) throws(DecodingError) { utc = try Timestamp(binary: binary) }

    public func encode(into buffer: inout [UInt8]) -> Bool { utc.encode(into: &buffer) }
}
