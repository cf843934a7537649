import Glibc
import Web

/// Reads requests from a connection's socket and validates them before libfcgi sees them.
///
/// Usually, a request arrives completely in one read, into the request buffer's memory, from where libfcgi reads it.
/// The reader stores partial requests, and whatever follows a complete one.
struct RequestReader {
    /// The result of reading from the socket.
    enum Arrival {
        case nothing, partial
        /// The socket may have more input, but other connections should be served before that input is read.
        case more
        case request(CompleteRequest)
    }

    /// The reason why the connection has to be closed.
    enum Failure: Error {
        case closed
        case invalid(RequestGuard.Violation)
    }

    /// A request that has been received completely.
    struct CompleteRequest {
        let bodyBytes: Int
        /// The request's records; `nil` when they are in the request buffer's memory.
        let records: [UInt8]?
        /// The error to respond with instead of calling the application, when the body is invalid.
        let rejection: HTTPError?
        /// Whether processing the request takes several hundred microseconds, so that other connections should be
        /// served first.
        var isLarge: Bool { (records?.count ?? 0) > 32 << 10 }
    }

    private let limits: Limits
    private var requestGuard: RequestGuard
    private var pending: [UInt8] = []

    init(limits: Limits) {
        self.limits = limits
        requestGuard = RequestGuard(limits: limits)
    }

    /// Whether the last read may have left bytes in the socket.
    private var socketMayHoldMore = false

    /// Whether bytes of the next request may have arrived already.
    var mayHoldMore: Bool { !pending.isEmpty || socketMayHoldMore }

    /// Reads from the socket until a request is complete or no more input is available. `memory` belongs to the request
    /// buffer.
    mutating func receive(from socket: Int32, into memory: UnsafeMutableRawBufferPointer) throws(Failure) -> Arrival {
        if pending.isEmpty {
            guard let bytes = try read(socket, memory) else { return .nothing }
            try examine(bytes, &requestGuard)
            guard requestGuard.stage != .complete else { return .request(takeRequest(in: bytes)) }
            pending.append(contentsOf: bytes)
        }
        if let request = try pendingRequest() { return .request(request) }
        for _ in 0..<RequestReader.readsPerCall {
            guard let bytes = try read(socket, memory) else { return .partial }
            pending.append(contentsOf: bytes)
            if let request = try pendingRequest() { return .request(request) }
        }
        return .more
    }

    /// The maximum number of times that one call of `receive` reads more bytes of a partial request. Other connections
    /// are served before the next call.
    private static let readsPerCall = 4

    /// Extracts a complete request at the beginning of the request buffer's memory, and stores the bytes that follow
    /// the request.
    private mutating func takeRequest(in bytes: UnsafeRawBufferPointer) -> CompleteRequest {
        defer { requestGuard = RequestGuard(limits: limits) }
        if requestGuard.offset < bytes.count { pending.append(contentsOf: bytes[requestGuard.offset...]) }
        return complete(requestGuard, records: nil, bodyBytes: requestGuard.bodyBytes)
    }

    private mutating func pendingRequest() throws(Failure) -> CompleteRequest? {
        var failure: Failure?
        pending.withUnsafeBytes { bytes in
            do throws(Failure) { try examine(bytes, &requestGuard) } catch { failure = error }
        }
        if let failure { throw failure }
        if requestGuard.bodyIsTooLarge { discardBody() }
        guard requestGuard.stage == .complete else { return nil }
        defer { requestGuard = RequestGuard(limits: limits) }
        return takeRequest()
    }

    private mutating func takeRequest() -> CompleteRequest {
        var records = exchange(&pending, with: [])
        if requestGuard.offset < records.count {
            pending = Array(records[requestGuard.offset...])
            records.removeSubrange(requestGuard.offset...)
        }
        guard requestGuard.bodyIsTooLarge else {
            return complete(requestGuard, records: records, bodyBytes: requestGuard.bodyBytes)
        }
        records += [1, RecordType.stdin] + records[2..<4] + [0, 0, 0, 0]
        return complete(requestGuard, records: records, bodyBytes: 0)
    }

    /// Discards the body's records received so far, to free their memory. Called when the body is too large, since such
    /// a body is not passed to libfcgi.
    private mutating func discardBody() {
        pending.removeSubrange(requestGuard.stdinOffset..<requestGuard.offset)
        requestGuard.discardBody(requestGuard.offset - requestGuard.stdinOffset)
    }

    private func complete(_ requestGuard: RequestGuard, records: [UInt8]?, bodyBytes: Int) -> CompleteRequest {
        let rejection: HTTPError? =
            if requestGuard.bodyIsTooLarge {
                HTTPError(.contentTooLarge, "The body may have \(limits.bodyBytes) bytes at most.")
            } else if !requestGuard.bodyHasDeclaredLength {
                HTTPError(.badRequest, "The body's length differs from the Content-Length.")
            } else { nil }
        return CompleteRequest(bodyBytes: bodyBytes, records: records, rejection: rejection)
    }

    private func examine(_ bytes: UnsafeRawBufferPointer, _ requestGuard: inout RequestGuard) throws(Failure) {
        do throws(RequestGuard.Violation) { try requestGuard.examine(bytes) } catch { throw .invalid(error) }
    }

    private mutating func read(
        _ socket: Int32, _ memory: UnsafeMutableRawBufferPointer
    ) throws(Failure) -> UnsafeRawBufferPointer? {
        let count = recv(socket, memory.baseAddress, memory.count, Int32(MSG_DONTWAIT))
        socketMayHoldMore = count == memory.count
        if count > 0 { return UnsafeRawBufferPointer(rebasing: memory[..<count]) }
        if count < 0, errno == EAGAIN || errno == EINTR { return nil }
        throw .closed
    }
}
