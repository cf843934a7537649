import Authentication
import CLinux
import EventLoop
import Glibc
import Supervisor

extension IdentityProvider.Keys {
    /// Reads the JWK Set on a separate thread. Returns at most one byte more than the maximum size, which is enough to
    /// detect that a JWK Set is too large.
    /// - Throws: `SystemError`, `KeySetError`.
    func load() async throws -> [UInt8] {
        guard let loop = Loop.current else { preconditionFailure("keys must be loaded on an event loop") }
        return try await loop.offload { try self.read() }
    }

    private func read() throws -> [UInt8] {
        switch self {
        case .file(let path):
            return try Descriptor("open \(path)", open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)).bytes()
        case .url(let url, let environment): return try Curl(url, environment).bytes()
        }
    }
}

/// A curl process that fetches one document. The process does not follow redirects and ignores `.curlrc`.
private final class Curl {
    private let pid: pid_t
    private let output: Descriptor
    private let errors: Descriptor

    init(_ url: String, _ environment: [String: String]) throws {
        let command = [
            IdentityProvider.curl, "--disable", "--silent", "--show-error", "--fail", "--globoff",
            "--proto", url.hasPrefix("https:") ? "=https" : "=http", "--max-redirs", "0", "--max-time", "5",
            "--max-filesize", String(KeySet.maxBytes), "--write-out", "%{stderr}%{http_code}", "--url", url,
        ]
        var ends: [Int32] = [-1, -1]
        try check("pipe2", pipe2(&ends, O_CLOEXEC))
        output = try Descriptor("pipe2", ends[0])
        let input = try Descriptor("pipe2", ends[1])
        errors = try Descriptor.memory(named: "aktify-curl")
        let null = try Descriptor("open /dev/null", open("/dev/null", O_RDONLY | O_CLOEXEC))
        pid = try spawn(
            command, environment, descriptors: [(null.number, 0), (input.number, 1), (errors.number, 2)])
    }

    /// Reads the document, waits for the process to end, and returns the document.
    func bytes() throws -> [UInt8] {
        var bytes: [UInt8]?
        do { bytes = try output.bytes() } catch {}
        // The process ends by itself within five seconds, unless it hangs, or sends more than the maximum.
        if bytes.map({ $0.count > KeySet.maxBytes }) ?? true { kill(pid, SIGKILL) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        if let bytes, bytes.count > KeySet.maxBytes { return bytes }
        let message = (errors.text(upTo: 500) ?? "").split(separator: "\n").joined(separator: "; ")
        guard let bytes, status == 0, message == "200" else { throw KeySetError("curl failed: \(message)") }
        return bytes
    }
}

extension Descriptor {
    /// Reads to the end of the file, but at most one byte more than the maximum size of a JWK Set. Times out after six
    /// seconds.
    fileprivate func bytes() throws(SystemError) -> [UInt8] {
        let deadline = Instant.now.advanced(by: .seconds(6))
        var (bytes, buffer): ([UInt8], [UInt8]) = ([], Array(repeating: 0, count: 64 << 10))
        while bytes.count <= KeySet.maxBytes {
            let remaining = deadline.duration(since: .now).nanoseconds / 1_000_000
            var descriptor = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
            guard remaining > 0 else { throw SystemError("read keys", code: ETIMEDOUT) }
            guard poll(&descriptor, 1, Int32(remaining)) > 0 else { continue }
            let count = read(number, &buffer, min(buffer.count, KeySet.maxBytes + 1 - bytes.count))
            guard count >= 0 else { throw SystemError("read keys") }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return bytes
    }
}
