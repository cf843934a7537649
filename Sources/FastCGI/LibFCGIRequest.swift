import CFastCGI
import Glibc
import Web

/// A libfcgi request (`FCGX_Request`), reused for all requests of a connection. This object is the only owner of the C
/// memory, but does not own the socket.
///
/// libfcgi does blocking I/O. It therefore reads only complete requests, from a file in memory, and is asked to write
/// only what the socket has room for, so that it never blocks.
final class LibFCGIRequest {
    // Owned here: allocated in init, freed in deinit, never handed out.
    private let request: UnsafeMutablePointer<FCGX_Request>
    private let socket: Int32

    /// Whether the connection stays open after the request: the peer set FCGI_KEEP_CONN, and no error has occurred on
    /// the connection.
    private(set) var keepsConnection = false

    /// Initializes libfcgi once per process. Then resets SIGTERM and SIGUSR1, for which libfcgi has installed handlers,
    /// to the default action, and ignores SIGPIPE.
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

    /// Lets libfcgi parse the complete request at the beginning of `buffer`.
    /// - Returns: The request with its body; `nil` when libfcgi rejects the request, in which case libfcgi has closed
    ///   the descriptor of `buffer`.
    func receive(from buffer: RequestBuffer, bodyBytes: Int) -> Web.Request? {
        request.pointee.ipcFd = buffer.descriptor
        request.pointee.keepConnection = 1
        // With `detached` set, closing is a plain close(2): no shutdown, and no polling for the peer to close.
        request.pointee.detached = 1
        guard FCGX_Accept_r(request) == 0 else { return nil }
        keepsConnection = request.pointee.keepConnection != 0
        let body = readBody(bodyBytes)
        request.pointee.ipcFd = socket
        // Sound: libfcgi sets envp to a NULL-terminated array whenever FCGX_Accept_r succeeds.
        return Web.Request(params: request.pointee.envp!, body: body)
    }

    /// Returns the request body of `count` bytes. Reads STDIN to its end, even when there is no body. `count` is at
    /// most `Limits.bodyBytes`, and so fits into an Int32.
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

    /// Appends bytes to the STDOUT stream; libfcgi sends a record whenever it has 8,184 bytes.
    func write(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { buffer in
            _ = FCGX_PutStr(buffer.bindMemory(to: CChar.self).baseAddress, Int32(buffer.count), request.pointee.out)
        }
    }

    /// Completes the request: sends the remaining output, the end of the streams and END_REQUEST, in one write.
    func finish() {
        let failed = FCGX_FClose(request.pointee.err) != 0 || FCGX_FClose(request.pointee.out) != 0
        FCGX_Free(request, 0)
        keepsConnection = keepsConnection && !failed
    }

    /// Discards the request, if there is one, without sending anything.
    func abandon() {
        FCGX_Free(request, 0)
        keepsConnection = false
    }
}
