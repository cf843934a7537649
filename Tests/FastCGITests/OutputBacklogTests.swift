import EventLoop
import Foundation
import TestSupport
import Testing
import Web

@testable import FastCGI

@Suite struct OutputBacklogTests {
    /// Whether a sanitizer is enabled. Its allocator retains freed memory, so that trimming has no effect.
    static let isSanitized = dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil

    /// The resident memory of this process, in bytes.
    private static func resident() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Keeps an array alive. Sound: used on one loop's thread, and after the loop has ended.
    private final class Kept: @unchecked Sendable { var bytes: [UInt8] = [] }

    /// Allocates about 250 MiB in small pieces, as the rows of a large list would be, and frees all pieces but the last
    /// on return. The allocator retains the freed memory.
    /// - Returns: The resident memory while all pieces were allocated, in bytes.
    private static func fragment(_ kept: Kept) -> Int {
        var pieces = (0..<(1 << 16)).map { _ in [UInt8](repeating: 1, count: 4000) }
        kept.bytes = pieces.removeLast()
        return resident()
    }

    @Test(.disabled(if: isSanitized)) func `freed memory is returned to the system after a large response`() throws {
        let kept = Kept()
        let (before, after) = try withServer { routes in
            routes.get("/<size>") { request in
                let resident = OutputBacklogTests.fragment(kept)
                let size = Int(request.parameter("size")) ?? 0
                return Response(
                    .ok, headers: [.server: "\(resident)"], body: .bytes([UInt8](repeating: 1, count: size)))
            }
        } _: { peers in
            peers[0].send(Records.request("GET", "/\(9 << 20)"))
            let before = Int(readResponse(from: peers[0]).headers["server"] ?? "") ?? 0
            let limit = Instant.now.advanced(by: .seconds(5))
            while OutputBacklogTests.resident() > before - 128 << 20, Instant.now < limit { usleep(20_000) }
            return (before, OutputBacklogTests.resident())
        }
        #expect(before - after > 128 << 20, "\(before >> 20) MiB, then \(after >> 20) MiB")
        withExtendedLifetime(kept) {}
    }

    @Test func `a peak is consumed once, after all bytes are released`() {
        var backlog = OutputBacklog()
        let half = OutputBacklog.trimThreshold / 2
        for _ in 0..<2 { _ = backlog.reserve(half, limit: .max) }
        var consumed = [backlog.consumePeak()]
        for _ in 0..<2 {
            backlog.release(half)
            consumed.append(backlog.consumePeak())
        }
        consumed.append(backlog.consumePeak())
        #expect(consumed == [false, false, true, false])
    }

    @Test func `a count below the trim threshold is no peak`() {
        var backlog = OutputBacklog()
        for _ in 0..<3 {
            _ = backlog.reserve(OutputBacklog.trimThreshold - 1, limit: .max)
            backlog.release(OutputBacklog.trimThreshold - 1)
        }
        let isConsumed = backlog.consumePeak()
        #expect(!isConsumed)
    }

    @Test func `a single response always fits, and several fit up to the limit`() {
        var backlog = OutputBacklog()
        let alone = [20, 1].map { backlog.reserve($0, limit: 10) }
        backlog.release(20)
        let together = [4, 6, 1].map { backlog.reserve($0, limit: 10) }
        #expect(alone == [true, false] && together == [true, true, false] && backlog.count == 10)
    }
}
