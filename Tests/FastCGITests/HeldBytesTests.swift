import EventLoop
import Foundation
import TestSupport
import Testing
import Web

@testable import FastCGI

@Suite struct HeldBytesTests {
    /// The sanitizers' allocators keep what is freed, and have nothing to trim.
    static let isSanitized = dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil

    /// What this process has in memory, in bytes.
    private static func resident() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Sound: touched on one loop's thread, and after it has ended.
    private final class Kept: @unchecked Sendable { var bytes: [UInt8] = [] }

    /// Uses 256 MiB in small pieces and frees them but for the last, as the rows of a large list are freed: the allocator keeps them.
    /// - Returns: what was resident meanwhile.
    private static func fragment(_ kept: Kept) -> Int {
        var pieces = (0..<(1 << 16)).map { _ in [UInt8](repeating: 1, count: 4000) }
        kept.bytes = pieces.removeLast()
        return resident()
    }

    @Test(.disabled(if: isSanitized)) func `memory goes back to the system after a large response`() throws {
        let kept = Kept()
        let (before, after) = try withServer { routes in
            routes.get("/<size>") { request in
                let resident = HeldBytesTests.fragment(kept)
                let size = Int(request.parameter("size")) ?? 0
                return Response(
                    .ok, headers: [.server: "\(resident)"], body: .bytes([UInt8](repeating: 1, count: size)))
            }
        } _: { peers in
            peers[0].send(Records.request("GET", "/\(9 << 20)"))
            let before = Int(readResponse(from: peers[0]).headers["server"] ?? "") ?? 0
            let limit = Instant.now.advanced(by: .seconds(5))
            while HeldBytesTests.resident() > before - 128 << 20, Instant.now < limit { usleep(20_000) }
            return (before, HeldBytesTests.resident())
        }
        #expect(before - after > 128 << 20, "\(before >> 20) MiB, then \(after >> 20) MiB")
        withExtendedLifetime(kept) {}
    }

    @Test func `a peak is taken once, when nothing is held any more`() {
        var held = OutputBacklog()
        let half = OutputBacklog.worthTrimming / 2
        for _ in 0..<2 { _ = held.hold(half, atMost: .max) }
        var taken = [held.takePeak()]
        for _ in 0..<2 {
            held.release(half)
            taken.append(held.takePeak())
        }
        taken.append(held.takePeak())
        #expect(taken == [false, false, true, false])
    }

    @Test func `less than a peak is left alone`() {
        var held = OutputBacklog()
        for _ in 0..<3 {
            _ = held.hold(OutputBacklog.worthTrimming - 1, atMost: .max)
            held.release(OutputBacklog.worthTrimming - 1)
        }
        let isTaken = held.takePeak()
        #expect(!isTaken)
    }

    @Test func `one response has room always, and others up to the limit`() {
        var held = OutputBacklog()
        let alone = [20, 1].map { held.hold($0, atMost: 10) }
        held.release(20)
        let together = [4, 6, 1].map { held.hold($0, atMost: 10) }
        #expect(alone == [true, false] && together == [true, true, false] && held.count == 10)
    }
}
