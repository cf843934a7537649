import SQL

/// A position in the write-ahead log: a timeline and an LSN (Postgres manual, sections 30.6 and 26.3.5).
public struct WALPosition: Hashable, Sendable {
    /// The timeline ID. Each promotion of a standby starts a timeline with a greater ID.
    public let timeline: UInt32
    /// The log sequence number (LSN): a byte offset into the write-ahead log.
    public let lsn: UInt64

    /// Creates a position.
    public init(timeline: UInt32, lsn: UInt64) { (self.timeline, self.lsn) = (timeline, lsn) }

    /// The placeholder for the position of a write if that position is unknown; no replica ever reaches it.
    public static let unknown = WALPosition(timeline: .max, lsn: .max)

    /// Whether a server that has replayed up to this position has replayed everything up to `other`. Both the timeline
    /// and the LSN are compared, because an equal LSN on an earlier timeline may belong to another record.
    func includes(_ other: WALPosition) -> Bool { timeline >= other.timeline && lsn >= other.lsn }

    /// Returns the smallest position that includes this one and `other`.
    public func merged(with other: WALPosition) -> WALPosition {
        WALPosition(timeline: max(timeline, other.timeline), lsn: max(lsn, other.lsn))
    }
}

extension WALPosition: CustomStringConvertible {
    /// The position in text form, eight hexadecimal digits of the timeline and sixteen of the LSN:
    /// `00000001-00000000016b3748`.
    public var description: String { timeline.hexadecimal + "-" + lsn.hexadecimal }

    /// Parses the text form, such as `00000001-00000000016b3748`; returns `nil` for other text.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].count == 8, parts[1].count == 16,
            parts.allSatisfy({ $0.allSatisfy { Character(UnicodeScalar($0)).isHexDigit } }),
            let timeline = UInt32(Substring(parts[0]), radix: 16), let lsn = UInt64(Substring(parts[1]), radix: 16)
        else { return nil }
        self.init(timeline: timeline, lsn: lsn)
    }
}

extension Statement {
    /// The query for the position after the last record in a primary's WAL; fails on a standby.
    static let primaryPosition = Statement(unsafe: "SELECT \(primaryColumns)")

    /// The query for the primary's system identifier and WAL position.
    static let primaryStatus = Statement(
        unsafe: "SELECT (SELECT system_identifier FROM pg_control_system()), \(primaryColumns)")

    /// The SQL for the timeline and the LSN of the primary. If the last record ends a page, the insert LSN is already
    /// past the next page's header (24 bytes, 40 on the first page of a segment). The header's size is subtracted,
    /// because a standby does not replay a header by itself.
    private static let primaryColumns = """
        ('x' || left(file_name, 8))::bit(32)::bigint, (lsn - '0/0')::bigint - CASE WHEN file_offset = 40 THEN 40 \
        WHEN file_offset % current_setting('wal_block_size')::int = 24 THEN 24 ELSE 0 END \
        FROM pg_current_wal_insert_lsn() lsn, pg_walfile_name_offset(lsn)
        """
}

extension ResultRow {
    /// Decodes a timeline and an LSN from two `bigint` columns.
    /// - Throws: `DecodingError`.
    mutating func position() throws(DecodingError) -> WALPosition {
        WALPosition(
            timeline: UInt32(truncatingIfNeeded: try next(Int64.self)), lsn: UInt64(bitPattern: try next(Int64.self)))
    }
}
