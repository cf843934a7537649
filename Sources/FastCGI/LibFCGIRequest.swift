import CFastCGI
import Glibc
import Web

/// One libfcgi request, used again for each request of a connection: the only owner of its C memory, but not of the socket.
///
/// libfcgi reads and writes blockingly. It reads whole requests only, from a file in memory, and is asked to write only what
/// the socket has room for, so that it never waits.
final class LibFCGIRequest {
    // Owned here: allocated in init, freed in deinit, never handed out.
    private let request: UnsafeMutablePointer<FCGX_Request>
    private let socket: Int32

    /// Whether the peer asked to keep the connection, and nothing has failed on it.
    private(set) var keepsConnection = false

    /// Makes libfcgi ready for use in this process, and takes back the signals that it takes over.
    private static let prepareLibrary: Void = {
        FCGX_Init()
        for number in [SIGTERM, SIGUSR1] { signal(number, SIG_DFL) }
        signal(SIGPIPE, SIG_IGN)
    }()

    init(socket: Int32) {
        _ = LibFCGIRequest.prepareLibrary
        self.socket = socket
        request = .allocate(capacity: 1)
        FCGX_InitRequest(request, -1, 0)
    }

    deinit {
        abandon()
        request.deallocate()
    }

    /// Lets libfcgi parse the request that lies whole at the beginning of `buffer`.
    /// - Returns: the request with its body; `nil` when libfcgi refused it, and then it has closed the buffer's descriptor.
    func receive(from buffer: RequestBuffer, bodyBytes: Int) -> Web.Request? {
        request.pointee.ipcFd = buffer.descriptor
        request.pointee.keepConnection = 1
        request.pointee.detached = 1  // A close is a plain close(2): no shutdown, no poll for the peer's.
        guard FCGX_Accept_r(request) == 0 else { return nil }
        keepsConnection = request.pointee.keepConnection != 0
        let body = readBody(bodyBytes)
        request.pointee.ipcFd = socket
        // Sound: libfcgi sets envp to a NULL-terminated array whenever FCGX_Accept_r succeeds.
        return Web.Request(params: request.pointee.envp!, body: body)
    }

    /// Reads STDIN to its end, also when there is no body. `count` is at most `Limits.bodyBytes`, and so fits into an Int32.
    private func readBody(_ count: Int) -> [UInt8] {
        var body: [UInt8] = []
        guard count > 0 else {
            var byte: CChar = 0
            FCGX_GetStr(&byte, 1, request.pointee.in)
            return body
        }
        body.append(addingCapacity: count + 1) { span in
            span.withUnsafeMutableBufferPointer { buffer, filled in
                filled = buffer.withMemoryRebound(to: CChar.self) {
                    Int(FCGX_GetStr($0.baseAddress, Int32(count + 1), request.pointee.in))
                }
            }
        }
        return body
    }

    /// Adds bytes to STDOUT; libfcgi sends each time that it has 8,184 of them.
    func write(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { buffer in
            _ = FCGX_PutStr(buffer.bindMemory(to: CChar.self).baseAddress, Int32(buffer.count), request.pointee.out)
        }
    }

    /// Ends the request: sends what is left, the end of the streams and END_REQUEST, in one write.
    func finish() {
        let failed = FCGX_FClose(request.pointee.err) != 0 || FCGX_FClose(request.pointee.out) != 0
        FCGX_Free(request, 0)
        keepsConnection = keepsConnection && !failed
    }

    /// Drops the request, if there is one, without another word to the peer.
    func abandon() {
        FCGX_Free(request, 0)
        keepsConnection = false
    }
}
