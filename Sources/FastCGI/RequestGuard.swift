import Glibc

/// Parses FastCGI records before libfcgi does: detects when a complete, well-formed request has been received, and
/// rejects input on which libfcgi 2.4.2 would crash or block.
///
/// Each record is parsed once, however often `examine` is called again with more bytes appended. A web server may send
/// a responder BEGIN_REQUEST, PARAMS up to an empty record, and STDIN up to an empty record, all with the same request
/// id (FastCGI Specification 1.0, sections 5 and 6). Everything else is a violation: management records overflow a
/// buffer in libfcgi, and name and value lengths in PARAMS whose sum exceeds INT_MAX make libfcgi abort.
struct RequestGuard {
    /// Which part of the request is expected next.
    enum Stage { case begin, params, stdin, complete }

    /// The reason why the connection has to be closed.
    enum Violation: Error, Hashable {
        case version(UInt8), beginExpected(type: UInt8), role(UInt16), unexpected(type: UInt8), paramsTooLarge,
            invalidLength, tooFragmented
    }

    private let limits: Limits
    private(set) var stage = Stage.begin
    /// The offset of the first record that has not been parsed; the size of the request once it is complete.
    private(set) var offset = 0
    /// The offset of the STDIN stream in the request.
    private(set) var stdinOffset = 0
    /// The number of body bytes received so far.
    private(set) var bodyBytes = 0
    /// The body length that CONTENT_LENGTH declares: `nil` when the param is absent or empty, -1 when it is not a
    /// number.
    private(set) var declaredBytes: Int?
    private var requestID: UInt16 = 0
    private var paramsBytes = 0
    /// The range of the first PARAMS record's content. Usually, there is only one such record.
    private var firstParams: Range<Int>?
    private var moreParams: [Range<Int>] = []

    init(limits: Limits) { self.limits = limits }

    /// Whether the body received so far, or the declared length, exceeds the limit.
    var bodyIsTooLarge: Bool { bodyBytes > limits.bodyBytes || (declaredBytes ?? 0) > limits.bodyBytes }

    /// Whether the body has the length that CONTENT_LENGTH declares; true when no length is declared.
    var bodyHasDeclaredLength: Bool { declaredBytes.map { $0 == bodyBytes } ?? true }

    /// Parses the records in `bytes` that have not been parsed yet. `bytes` begins with the request's first record.
    /// - Throws: A `Violation` when the peer sends anything that a web server must not send to a responder.
    mutating func examine(_ bytes: UnsafeRawBufferPointer) throws(Violation) {
        while stage != .complete, bytes.count - offset >= RecordHeader.size {
            let header = RecordHeader(UnsafeRawBufferPointer(rebasing: bytes[offset...]))
            try accept(header)
            guard bytes.count - offset >= header.recordSize else { return }
            let content = offset + RecordHeader.size..<offset + RecordHeader.size + header.contentLength
            offset += header.recordSize
            try process(content, of: bytes)
        }
    }

    /// Adjusts the offset after the caller has removed `count` bytes of the body from the buffer.
    mutating func discardBody(_ count: Int) { offset -= count }

    /// Validates a record by its header, before its content has arrived.
    private mutating func accept(_ header: RecordHeader) throws(Violation) {
        guard header.version == 1 else { throw .version(header.version) }
        if stage == .begin {
            guard header.type == RecordType.beginRequest, header.contentLength == 8, header.requestID != 0 else {
                throw .beginExpected(type: header.type)
            }
            requestID = header.requestID
            return
        }
        let expected = stage == .params ? RecordType.params : RecordType.stdin
        guard header.type == expected, header.requestID == requestID else { throw .unexpected(type: header.type) }
        // Limits the overhead of headers and padding, which also cost memory, and time in libfcgi.
        guard offset <= 64 << 10 || offset / 4 <= paramsBytes + bodyBytes else { throw .tooFragmented }
        if stage == .params, paramsBytes + header.contentLength > limits.paramsBytes { throw .paramsTooLarge }
    }

    private mutating func process(_ content: Range<Int>, of bytes: UnsafeRawBufferPointer) throws(Violation) {
        switch stage {
        case .begin: try begin(bytes[content.lowerBound], bytes[content.lowerBound + 1])
        case .params where content.isEmpty: try endParams(bytes)
        case .params: addParams(content)
        case .stdin where content.isEmpty: stage = .complete
        case .stdin: bodyBytes += content.count
        case .complete: break
        }
    }

    private mutating func begin(_ high: UInt8, _ low: UInt8) throws(Violation) {
        let role = UInt16(high) << 8 | UInt16(low)
        guard role == 1 else { throw .role(role) }
        stage = .params
    }

    private mutating func addParams(_ content: Range<Int>) {
        paramsBytes += content.count
        if firstParams == nil { firstParams = content } else { moreParams.append(content) }
    }

    private mutating func endParams(_ bytes: UnsafeRawBufferPointer) throws(Violation) {
        if let firstParams, moreParams.isEmpty {
            try readParams(UnsafeRawBufferPointer(rebasing: bytes[firstParams]))
        } else {
            let joined = ([firstParams].compactMap { $0 } + moreParams).flatMap { bytes[$0] }
            var violation: Violation?
            joined.withUnsafeBytes { bytes in
                do throws(Violation) { try readParams(bytes) } catch { violation = error }
            }
            if let violation { throw violation }
        }
        stage = .stdin
        stdinOffset = offset
    }

    /// Parses the name-value pairs of the PARAMS stream (FastCGI Specification 1.0, section 3.4), each of which must
    /// end within the stream.
    private mutating func readParams(_ bytes: UnsafeRawBufferPointer) throws(Violation) {
        var position = 0
        while position < bytes.count {
            guard let name = length(bytes, &position), let value = length(bytes, &position),
                bytes.count - position >= name + value
            else {
                throw .invalidLength
            }
            if name == contentLength.utf8CodeUnitCount, isContentLength(bytes, position), value > 0 {
                declaredBytes = number(bytes[position + name..<position + name + value])
            }
            position += name + value
        }
    }

    /// Parses the length of a name or value: one byte, or four bytes when the high bit of the first is set. Returns
    /// `nil` when the stream ends too early. A length is below 2^31, so that the sum of two cannot overflow.
    private func length(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> Int? {
        guard position < bytes.count else { return nil }
        let first = bytes[position]
        guard first & 0x80 != 0 else {
            position += 1
            return Int(first)
        }
        guard bytes.count - position >= 4 else { return nil }
        defer { position += 4 }
        return Int(first & 0x7f) << 24 | Int(bytes[position + 1]) << 16 | Int(bytes[position + 2]) << 8
            | Int(bytes[position + 3])
    }

    private var contentLength: StaticString { "CONTENT_LENGTH" }

    /// Whether the name at `position` is CONTENT_LENGTH. The caller ensures that the name has as many bytes as
    /// "CONTENT_LENGTH" and lies within the stream.
    private func isContentLength(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> Bool {
        memcmp(bytes.baseAddress! + position, contentLength.utf8Start, contentLength.utf8CodeUnitCount) == 0
    }

    private func number(_ digits: Slice<UnsafeRawBufferPointer>) -> Int {
        var value = 0
        for digit in digits {
            guard digit >= 0x30, digit <= 0x39, value < 1 << 50 else { return -1 }
            value = value * 10 + Int(digit - 0x30)
        }
        return value
    }
}
