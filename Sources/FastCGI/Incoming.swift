import Glibc
import Web

/// What arrives on a connection, looked at before libfcgi sees it.
///
/// The usual request lies whole in the socket: it is peeked at, and libfcgi then reads it from there. One that does not, or
/// that has more behind it, is gathered here, for a spool.
struct Incoming {
    /// What one look at a socket found.
    enum Arrival {
        case nothing, partial
        case request(Whole)
    }

    /// Why a connection ends.
    enum Failure: Error {
        case closed
        case refused(RequestGuard.Refusal)
    }

    /// A request that has arrived whole.
    struct Whole {
        let bodyBytes: Int
        /// The request's records, unless they still lie in the socket.
        let spooled: [UInt8]?
        /// What to answer in place of the application, when the body is not as it must be.
        let refusal: HTTPError?
    }

    private let limits: Limits
    private var ahead: RequestGuard
    private var gathered: [UInt8] = []

    init(limits: Limits) {
        self.limits = limits
        ahead = RequestGuard(limits: limits)
    }

    /// Whether bytes of a next request are here already.
    var holdsMore: Bool { !gathered.isEmpty }

    /// Looks at what has arrived; `scratch` is only used meanwhile.
    mutating func receive(from socket: Int32, scratch: UnsafeMutableRawBufferPointer) throws(Failure) -> Arrival {
        if gathered.isEmpty {
            guard let bytes = try read(socket, scratch, MSG_PEEK) else { return .nothing }
            var ahead = RequestGuard(limits: limits)
            try examine(bytes, &ahead)
            if ahead.stage == .complete, ahead.offset == bytes.count { return .request(whole(ahead, spooled: nil)) }
        } else if let request = try gatheredRequest() {
            return .request(request)
        }
        return try gather(socket, scratch)
    }

    /// Takes what has arrived out of the socket, until a request is whole.
    private mutating func gather(_ socket: Int32, _ scratch: UnsafeMutableRawBufferPointer) throws(Failure) -> Arrival {
        while let bytes = try read(socket, scratch, 0) {
            gathered.append(contentsOf: bytes)
            if let request = try gatheredRequest() { return .request(request) }
        }
        return .partial
    }

    private mutating func gatheredRequest() throws(Failure) -> Whole? {
        var failure: Failure?
        gathered.withUnsafeBytes { bytes in
            do throws(Failure) { try examine(bytes, &ahead) } catch { failure = error }
        }
        if let failure { throw failure }
        if ahead.bodyIsTooLarge { discardBody() }
        guard ahead.stage == .complete else { return nil }
        defer { ahead = RequestGuard(limits: limits) }
        return takeRequest()
    }

    private mutating func takeRequest() -> Whole {
        var records = Array(gathered[..<ahead.offset])
        gathered.removeFirst(ahead.offset)
        if ahead.bodyIsTooLarge { records += [1, RecordType.stdin] + records[2..<4] + [0, 0, 0, 0] }
        return whole(ahead, spooled: records)
    }

    /// Forgets the body's records, which nobody will read, so that they take no memory.
    private mutating func discardBody() {
        gathered.removeSubrange(ahead.stdinOffset..<ahead.offset)
        ahead.discardBody(ahead.offset - ahead.stdinOffset)
    }

    private func whole(_ ahead: RequestGuard, spooled: [UInt8]?) -> Whole {
        let refusal: HTTPError? =
            if ahead.bodyIsTooLarge {
                HTTPError(.contentTooLarge, "The body may have \(limits.bodyBytes) bytes at most.")
            } else if !ahead.bodyIsWhole {
                HTTPError(.badRequest, "The body does not have the length that Content-Length says.")
            } else { nil }
        return Whole(bodyBytes: ahead.bodyBytes, spooled: spooled, refusal: refusal)
    }

    private func examine(_ bytes: UnsafeRawBufferPointer, _ ahead: inout RequestGuard) throws(Failure) {
        do throws(RequestGuard.Refusal) { try ahead.examine(bytes) } catch { throw .refused(error) }
    }

    private func read(
        _ socket: Int32, _ scratch: UnsafeMutableRawBufferPointer, _ flags: Int
    ) throws(Failure) -> UnsafeRawBufferPointer? {
        let count = recv(socket, scratch.baseAddress, scratch.count, Int32(flags | MSG_DONTWAIT))
        if count > 0 { return UnsafeRawBufferPointer(rebasing: scratch[..<count]) }
        if count < 0, errno == EAGAIN || errno == EINTR { return nil }
        throw .closed
    }
}
