import Authentication
import CLinux
import EventLoop
import Glibc
import Supervisor

extension IdentityProvider.Keys {
    /// Reads them, on a thread of its own: a JWK Set, or as much of it as shows that it is too long.
    /// - Throws: `SystemError`, `KeySetError`.
    func load() async throws -> [UInt8] {
        guard let loop = Loop.current else { preconditionFailure("keys belong to a loop") }
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

/// A curl that fetches one document: it follows no redirect, and reads no configuration of its user's.
private final class Curl {
    private let pid: pid_t
    private let output: Descriptor
    private let errors: Descriptor

    init(_ url: String, _ environment: [String: String]) throws {
        let command = [
            IdentityProvider.curl, "--disable", "--silent", "--show-error", "--fail", "--globoff",
            "--proto", url.hasPrefix("https:") ? "=https" : "=http", "--max-redirs", "0", "--max-time", "5",
            "--max-filesize", String(KeySet.mostBytes), "--write-out", "%{stderr}%{http_code}", "--url", url,
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

    /// What it has fetched, once it has ended.
    func bytes() throws -> [UInt8] {
        var bytes: [UInt8]?
        do { bytes = try output.bytes() } catch {}
        // It ends by itself after five seconds, unless it is stuck, or sends more than is taken.
        if bytes.map({ $0.count > KeySet.mostBytes }) ?? true { kill(pid, SIGKILL) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        if let bytes, bytes.count > KeySet.mostBytes { return bytes }
        let said = (errors.text(upTo: 500) ?? "").split(separator: "\n").joined(separator: "; ")
        guard let bytes, status == 0, said == "200" else { throw KeySetError("curl says: \(said)") }
        return bytes
    }
}

extension Descriptor {
    /// Reads to the end, or one byte more than a JWK Set may have; not longer than six seconds.
    fileprivate func bytes() throws(SystemError) -> [UInt8] {
        let deadline = Instant.now.advanced(by: .seconds(6))
        var (bytes, buffer): ([UInt8], [UInt8]) = ([], Array(repeating: 0, count: 64 << 10))
        while bytes.count <= KeySet.mostBytes {
            let left = deadline.duration(since: .now).nanoseconds / 1_000_000
            var question = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
            guard left > 0, poll(&question, 1, Int32(left)) > 0 else { throw SystemError("read keys", code: ETIMEDOUT) }
            let count = read(number, &buffer, min(buffer.count, KeySet.mostBytes + 1 - bytes.count))
            guard count >= 0 else { throw SystemError("read keys") }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return bytes
    }
}
