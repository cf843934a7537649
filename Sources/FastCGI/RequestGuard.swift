import Glibc

/// Reads requestGuard of libfcgi: says whether a whole, well-formed request lies in a buffer, and refuses what libfcgi 2.4.2 would
/// crash or block on.
///
/// It goes through the records once, however often it is asked again with more bytes behind them. What a responder's peer
/// may send is BEGIN_REQUEST, PARAMS to an empty one, STDIN to an empty one, all under one request id (FastCGI
/// Specification 1.0, sections 5 and 6). All else is refused: management records overflow a buffer of libfcgi's, and
/// lengths inside PARAMS that add up to more than INT_MAX make it abort.
struct RequestGuard {
    /// How far the request has come.
    enum Stage { case begin, params, stdin, complete }

    /// Why a peer is cut off.
    enum Refusal: Error, Hashable {
        case version(UInt8), beginExpected(type: UInt8), role(UInt16), unexpected(type: UInt8), paramsTooLarge,
            lyingLength, tooFragmented
    }

    private let limits: Limits
    private(set) var stage = Stage.begin
    /// Where the first record begins that has not been gone through: the request's size, once it is complete.
    private(set) var offset = 0
    /// Where STDIN begins.
    private(set) var stdinOffset = 0
    /// Bytes of the body so far.
    private(set) var bodyBytes = 0
    /// What CONTENT_LENGTH says, when it is there: `nil` when it is absent or empty, -1 when it is no number.
    private(set) var declaredBytes: Int?
    private var requestID: UInt16 = 0
    private var paramsBytes = 0
    /// Where the params lie: as a rule, in one record.
    private var firstParams: Range<Int>?
    private var moreParams: [Range<Int>] = []

    init(limits: Limits) { self.limits = limits }

    /// Whether the body is, or says that it will be, larger than the limit.
    var bodyIsTooLarge: Bool { bodyBytes > limits.bodyBytes || (declaredBytes ?? 0) > limits.bodyBytes }

    /// Whether the body has the length that was declared for it; one of unknown length always has.
    var bodyIsWhole: Bool { declaredBytes.map { $0 == bodyBytes } ?? true }

    /// Goes on through the records in `bytes`, which begin with the request.
    /// - Throws: a `Refusal` when the peer sends what no responder's peer may.
    mutating func examine(_ bytes: UnsafeRawBufferPointer) throws(Refusal) {
        while stage != .complete, bytes.count - offset >= RecordHeader.size {
            let header = RecordHeader(UnsafeRawBufferPointer(rebasing: bytes[offset...]))
            try accept(header)
            guard bytes.count - offset >= header.recordSize else { return }
            let content = offset + RecordHeader.size..<offset + RecordHeader.size + header.contentLength
            offset += header.recordSize
            try take(content, of: bytes)
        }
    }

    /// Forgets `count` bytes of the body, which the caller has taken out of the buffer.
    mutating func discardBody(_ count: Int) { offset -= count }

    /// Judges a record by its header, before its content is there.
    private mutating func accept(_ header: RecordHeader) throws(Refusal) {
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
        // Headers and padding take memory too, and libfcgi time.
        guard offset <= 64 << 10 || offset / 4 <= paramsBytes + bodyBytes else { throw .tooFragmented }
        if stage == .params, paramsBytes + header.contentLength > limits.paramsBytes { throw .paramsTooLarge }
    }

    private mutating func take(_ content: Range<Int>, of bytes: UnsafeRawBufferPointer) throws(Refusal) {
        switch stage {
        case .begin: try begin(bytes[content.lowerBound], bytes[content.lowerBound + 1])
        case .params where content.isEmpty: try endParams(bytes)
        case .params: addParams(content)
        case .stdin where content.isEmpty: stage = .complete
        case .stdin: bodyBytes += content.count
        case .complete: break
        }
    }

    private mutating func begin(_ high: UInt8, _ low: UInt8) throws(Refusal) {
        let role = UInt16(high) << 8 | UInt16(low)
        guard role == 1 else { throw .role(role) }
        stage = .params
    }

    private mutating func addParams(_ content: Range<Int>) {
        paramsBytes += content.count
        if firstParams == nil { firstParams = content } else { moreParams.append(content) }
    }

    private mutating func endParams(_ bytes: UnsafeRawBufferPointer) throws(Refusal) {
        if let firstParams, moreParams.isEmpty {
            try readParams(UnsafeRawBufferPointer(rebasing: bytes[firstParams]))
        } else {
            let joined = ([firstParams].compactMap { $0 } + moreParams).flatMap { bytes[$0] }
            var refusal: Refusal?
            joined.withUnsafeBytes { bytes in
                do throws(Refusal) { try readParams(bytes) } catch { refusal = error }
            }
            if let refusal { throw refusal }
        }
        stage = .stdin
        stdinOffset = offset
    }

    /// Goes through the names and values (section 3.4), each of which must end inside the stream.
    private mutating func readParams(_ bytes: UnsafeRawBufferPointer) throws(Refusal) {
        var at = 0
        while at < bytes.count {
            guard let name = length(bytes, &at), let value = length(bytes, &at), bytes.count - at >= name + value else {
                throw .lyingLength
            }
            if name == contentLength.utf8CodeUnitCount, isContentLength(bytes, at), value > 0 {
                declaredBytes = number(bytes[at + name..<at + name + value])
            }
            at += name + value
        }
    }

    /// Reads a length of one byte, or of four when the first has its high bit set: below 2^31, so that two never overflow.
    private func length(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> Int? {
        guard at < bytes.count else { return nil }
        let first = bytes[at]
        guard first & 0x80 != 0 else {
            at += 1
            return Int(first)
        }
        guard bytes.count - at >= 4 else { return nil }
        defer { at += 4 }
        return Int(first & 0x7f) << 24 | Int(bytes[at + 1]) << 16 | Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
    }

    private var contentLength: StaticString { "CONTENT_LENGTH" }

    /// Whether the name of CONTENT_LENGTH's length that begins at `at`, and ends inside the stream, is CONTENT_LENGTH.
    private func isContentLength(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Bool {
        memcmp(bytes.baseAddress! + at, contentLength.utf8Start, contentLength.utf8CodeUnitCount) == 0
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
