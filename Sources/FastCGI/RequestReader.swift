import Glibc
import Web

/// What arrives on a connection, looked at before libfcgi sees it.
///
/// The usual request is received whole, into the buffer's memory, from where libfcgi reads it. One that is not is gathered here,
/// and so is what follows a request.
struct RequestReader {
    /// What one look at a socket found.
    enum Arrival {
        case nothing, partial
        /// There may be more, but others should have their turn before it is read.
        case more
        case request(CompleteRequest)
    }

    /// Why a connection ends.
    enum Failure: Error {
        case closed
        case refused(RequestGuard.Refusal)
    }

    /// A request that has arrived whole.
    struct CompleteRequest {
        let bodyBytes: Int
        /// The request's records, unless they lie in the buffer's memory.
        let records: [UInt8]?
        /// What to answer in place of the application, when the body is not as it must be.
        let refusal: HTTPError?
        /// Whether it takes some hundred microseconds, and so must not delay others.
        var isLarge: Bool { (records?.count ?? 0) > 32 << 10 }
    }

    private let limits: Limits
    private var requestGuard: RequestGuard
    private var gathered: [UInt8] = []

    init(limits: Limits) {
        self.limits = limits
        requestGuard = RequestGuard(limits: limits)
    }

    /// Whether the last read left bytes in the socket, as far as we know.
    private var socketMayHoldMore = false

    /// Whether bytes of a next request may be here already.
    var holdsMore: Bool { !gathered.isEmpty || socketMayHoldMore }

    /// Takes out of the socket what has arrived, until a request is whole; `memory` is the buffer's.
    mutating func receive(from socket: Int32, into memory: UnsafeMutableRawBufferPointer) throws(Failure) -> Arrival {
        if gathered.isEmpty {
            guard let bytes = try read(socket, memory) else { return .nothing }
            try examine(bytes, &requestGuard)
            guard requestGuard.stage != .complete else { return .request(takeRequest(in: bytes)) }
            gathered.append(contentsOf: bytes)
        }
        if let request = try gatheredRequest() { return .request(request) }
        for _ in 0..<RequestReader.readsAtOnce {
            guard let bytes = try read(socket, memory) else { return .partial }
            gathered.append(contentsOf: bytes)
            if let request = try gatheredRequest() { return .request(request) }
        }
        return .more
    }

    /// Enough for what a socket's buffer holds, so that only a peer that sends faster than we read is interrupted.
    private static let readsAtOnce = 4

    /// Takes a request that lies at the beginning of the buffer's memory; what follows it is kept here.
    private mutating func takeRequest(in bytes: UnsafeRawBufferPointer) -> CompleteRequest {
        defer { requestGuard = RequestGuard(limits: limits) }
        if requestGuard.offset < bytes.count { gathered.append(contentsOf: bytes[requestGuard.offset...]) }
        return whole(requestGuard, records: nil, bodyBytes: requestGuard.bodyBytes)
    }

    private mutating func gatheredRequest() throws(Failure) -> CompleteRequest? {
        var failure: Failure?
        gathered.withUnsafeBytes { bytes in
            do throws(Failure) { try examine(bytes, &requestGuard) } catch { failure = error }
        }
        if let failure { throw failure }
        if requestGuard.bodyIsTooLarge { discardBody() }
        guard requestGuard.stage == .complete else { return nil }
        defer { requestGuard = RequestGuard(limits: limits) }
        return takeRequest()
    }

    private mutating func takeRequest() -> CompleteRequest {
        var records = exchange(&gathered, with: [])
        if requestGuard.offset < records.count {
            gathered = Array(records[requestGuard.offset...])
            records.removeSubrange(requestGuard.offset...)
        }
        guard requestGuard.bodyIsTooLarge else { return whole(requestGuard, records: records, bodyBytes: requestGuard.bodyBytes) }
        records += [1, RecordType.stdin] + records[2..<4] + [0, 0, 0, 0]
        return whole(requestGuard, records: records, bodyBytes: 0)
    }

    /// Forgets the body's records, which nobody will read, so that they take no memory.
    private mutating func discardBody() {
        gathered.removeSubrange(requestGuard.stdinOffset..<requestGuard.offset)
        requestGuard.discardBody(requestGuard.offset - requestGuard.stdinOffset)
    }

    private func whole(_ requestGuard: RequestGuard, records: [UInt8]?, bodyBytes: Int) -> CompleteRequest {
        let refusal: HTTPError? =
            if requestGuard.bodyIsTooLarge {
                HTTPError(.contentTooLarge, "The body may have \(limits.bodyBytes) bytes at most.")
            } else if !requestGuard.bodyIsWhole {
                HTTPError(.badRequest, "The body does not have the length that Content-Length says.")
            } else { nil }
        return CompleteRequest(bodyBytes: bodyBytes, records: records, refusal: refusal)
    }

    private func examine(_ bytes: UnsafeRawBufferPointer, _ requestGuard: inout RequestGuard) throws(Failure) {
        do throws(RequestGuard.Refusal) { try requestGuard.examine(bytes) } catch { throw .refused(error) }
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
