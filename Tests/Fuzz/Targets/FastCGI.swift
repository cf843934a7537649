import Glibc
import TestSupport

@testable import FastCGI
@testable import Web

extension FuzzTarget {
    /// `RequestGuard` accepts or refuses the input in the same way, however the input is split into pieces. Neither
    /// the number of parsed bytes nor the number of body bytes exceeds the length of the input.
    static let records = FuzzTarget(name: "records") { input in
        let step = Int(input.first ?? 0) + 1
        let bytes = Array(input.dropFirst())
        let whole = decision(on: bytes, step: max(bytes.count, 1))
        let split = decision(on: bytes, step: step)
        try require(whole == split, "\(whole) at once, but \(split) in pieces of \(step)")
        if case .guarded(_, let offset, let body, _) = whole {
            try require(offset <= bytes.count && body <= bytes.count, "the request ends beyond the input")
        }
    }

    private enum Decision: Equatable {
        case guarded(RequestGuard.Stage, offset: Int, body: Int, declared: Int?)
        case refused(RequestGuard.Violation)
    }

    private static func decision(on bytes: [UInt8], step: Int) -> Decision {
        var requestGuard = RequestGuard(limits: Limits(bodyBytes: 4096, paramsBytes: 4096))
        let violation = bytes.withUnsafeBytes { all -> RequestGuard.Violation? in
            for end in stride(from: step, to: all.count + step, by: step) {
                do throws(RequestGuard.Violation) {
                    try requestGuard.examine(UnsafeRawBufferPointer(rebasing: all[..<min(end, all.count)]))
                } catch { return error }
            }
            return nil
        }
        if let violation { return .refused(violation) }
        return .guarded(
            requestGuard.stage, offset: requestGuard.offset, body: requestGuard.bodyBytes,
            declared: requestGuard.declaredBytes)
    }

    /// The values of the header fields of a request that is created from FastCGI params contain neither NUL, CR nor LF.
    /// In the input, each param ends with a NUL.
    static let params = FuzzTarget(name: "params") { input in
        let entries = input.split(separator: 0).map { [UInt8]($0) + [0] }
        var pointers = entries.map { entry in
            entry.withUnsafeBufferPointer {
                strdup(UnsafeRawPointer($0.baseAddress!).assumingMemoryBound(to: CChar.self))
            }
        }
        pointers.append(nil)
        defer { pointers.forEach { free($0) } }
        let request = pointers.withUnsafeMutableBufferPointer { Request(params: $0.baseAddress!, body: []) }
        for field in request.headers {
            try require(
                !field.value.utf8.contains { [0, 10, 13].contains($0) }, "\(field) contains a control character")
        }
        try require(request.headers.count <= entries.count + 1, "there are more header fields than params")
        try require(!request.id.isEmpty, "the request has no id")
    }
}
