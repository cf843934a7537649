/// Encodes FastCGI records as a web server sends them.
public struct Records {
    /// The encoded records.
    public var bytes: [UInt8] = []

    /// Creates an empty sequence of records.
    public init() {}

    /// Adds a record of any type, even an invalid one.
    public mutating func add(_ type: UInt8, _ content: [UInt8], id: UInt16 = 1, version: UInt8 = 1, padding: UInt8 = 0)
    {
        let count = UInt16(content.count)
        bytes += [version, type, UInt8(id >> 8), UInt8(id & 255), UInt8(count >> 8), UInt8(count & 255), padding, 0]
        bytes += content
        bytes += [UInt8](repeating: 0, count: Int(padding))
    }

    /// Adds a BEGIN_REQUEST record.
    public mutating func begin(role: UInt8 = 1, keep: Bool = true, id: UInt16 = 1) {
        add(1, [0, role, keep ? 1 : 0, 0, 0, 0, 0, 0], id: id)
    }

    /// Adds a stream: its content in records of at most `size` bytes, and the empty record that ends it.
    public mutating func stream(_ type: UInt8, _ content: [UInt8], size: Int = 65_528) {
        for start in stride(from: 0, to: content.count, by: size) {
            add(type, Array(content[start..<min(start + size, content.count)]), padding: 3)
        }
        add(type, [])
    }

    /// Encodes name-value pairs, the content of PARAMS.
    public static func pairs(_ params: [(String, String)]) -> [UInt8] {
        params.flatMap { length($0.utf8.count) + length($1.utf8.count) + Array($0.utf8) + Array($1.utf8) }
    }

    /// Encodes a length in one byte or four.
    public static func length(_ count: Int) -> [UInt8] {
        count < 128
            ? [UInt8(count)]
            : [UInt8(count >> 24) | 0x80, UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255)]
    }

    /// Encodes a complete request.
    public static func request(
        _ method: String, _ target: String, body: [UInt8] = [], declaring declared: Int? = nil, keep: Bool = true,
        params: [(String, String)] = [], size: Int = 65_528
    ) -> [UInt8] {
        var records = Records()
        records.begin(keep: keep)
        let length = body.isEmpty && declared == nil ? "" : String(declared ?? body.count)
        let all = [("REQUEST_METHOD", method), ("REQUEST_URI", target), ("CONTENT_LENGTH", length)] + params
        records.stream(4, pairs(all), size: size)
        records.stream(5, body, size: size)
        return records.bytes
    }
}
