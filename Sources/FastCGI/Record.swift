/// The header of a FastCGI record (FastCGI Specification 1.0, section 3.3).
struct RecordHeader {
    /// The size of a record header, in bytes.
    static let size = 8

    let version: UInt8
    let type: UInt8
    let requestID: UInt16
    let contentLength: Int
    let paddingLength: Int

    /// Parses a header; `bytes` must contain at least `size` bytes.
    init(_ bytes: UnsafeRawBufferPointer) {
        version = bytes[0]
        type = bytes[1]
        requestID = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        contentLength = Int(bytes[4]) << 8 | Int(bytes[5])
        paddingLength = Int(bytes[6])
    }

    /// The size of the whole record, in bytes.
    var recordSize: Int { RecordHeader.size + contentLength + paddingLength }
}

/// The record types that a responder and a web server exchange (FastCGI Specification 1.0, section 8).
enum RecordType {
    static let beginRequest: UInt8 = 1
    static let endRequest: UInt8 = 3
    static let params: UInt8 = 4
    static let stdin: UInt8 = 5
    static let stdout: UInt8 = 6
}
