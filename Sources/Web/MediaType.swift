import HTTPTypes

/// A media type, without parameters: `text/csv` (RFC 9110, section 8.3.1).
public struct MediaType: Hashable, Sendable {
    /// The type: `text`.
    public let type: String
    /// The subtype: `csv`.
    public let subtype: String

    public static let json = MediaType("application/json")
    /// RFC 9457.
    public static let problem = MediaType("application/problem+json")
    /// RFC 7396.
    public static let mergePatch = MediaType("application/merge-patch+json")
    /// RFC 4180.
    public static let csv = MediaType("text/csv")

    /// Reads `type/subtype`, whatever its case.
    public init(_ text: some StringProtocol) {
        let parts = text.lowercased().split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        type = parts[0].trimmed
        subtype = parts.count > 1 ? parts[1].trimmed : ""
    }

    /// `type/subtype`
    public var name: String { "\(type)/\(subtype)" }

    /// Whether it is `application/json`, or ends with `+json` (RFC 6839, section 3.1).
    var isJSON: Bool { type == "application" && (subtype == "json" || subtype.hasSuffix("+json")) }
}

/// The media types that a client wants, and how much (RFC 9110, section 12.5.1).
public struct Accept: Hashable, Sendable {
    private struct Range: Hashable, Sendable {
        let media: MediaType
        let quality: Int
    }

    private let ranges: [Range]

    /// Reads the values of `Accept`, with commas between; what is no media range is passed over.
    public init(_ text: String) {
        ranges = text.split(separator: ",").compactMap { element in
            let parts = element.split(separator: ";").map(\.trimmed)
            guard let name = parts.first, name.contains("/") else { return nil }
            let weight = parts.dropFirst().last { $0.lowercased().hasPrefix("q=") }
            return Range(media: MediaType(name), quality: weight.map { Accept.thousandths($0.dropFirst(2)) } ?? 1000)
        }
    }

    /// A weight in thousandths; one that is none counts as 1.
    private static func thousandths(_ text: Substring) -> Int {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = Int(parts[0]), whole == 0 else { return 1000 }
        let digits = parts.count > 1 ? parts[1].prefix(3) : ""
        return Int(digits + String(repeating: "0", count: 3 - digits.count)) ?? 1000
    }

    /// How much a media type is wanted, 0 to 1000: the most specific range that it is in says so.
    public func quality(of media: MediaType) -> Int {
        let matching = ranges.filter { range in
            (range.media.type == "*" || range.media.type == media.type)
                && (range.media.subtype == "*" || range.media.subtype == media.subtype)
        }
        func stars(_ range: Range) -> Int { (range.media.type == "*" ? 1 : 0) + (range.media.subtype == "*" ? 1 : 0) }
        guard let least = matching.map(stars).min() else { return ranges.isEmpty ? 1000 : 0 }
        return matching.filter { stars($0) == least }.map(\.quality).max() ?? 0
    }

    /// Whether a media type is named, and not only by a star.
    func names(_ media: MediaType) -> Bool { ranges.contains { $0.media == media && $0.quality > 0 } }
}

extension Request {
    /// What the client accepts; without the field, everything.
    public var accept: Accept { Accept(headers.values(of: .accept).joined(separator: ",")) }

    /// The media type to answer with, of those that there are: the one that is wanted most, of several the first.
    ///
    /// A client that names `application/problem+json` for errors takes JSON too.
    /// - Throws: 406 when none is acceptable.
    public func negotiate(_ offers: [MediaType]) throws(HTTPError) -> MediaType {
        guard let value = headers.value(of: .accept), value != "*/*" else { return offers[0] }
        let accept = accept
        func quality(_ offer: MediaType) -> Int {
            max(accept.quality(of: offer), offer == .json && accept.names(.problem) ? 1 : 0)
        }
        let best = offers.map(quality).max() ?? 0
        guard best > 0, let offer = offers.first(where: { quality($0) == best }) else {
            let names = offers.map(\.name).joined(separator: " or ")
            throw HTTPError(.notAcceptable, "This can be had as \(names): change the Accept header field.")
        }
        return offer
    }

    /// Whether errors are to be told as RFC 9457 has it.
    var wantsProblem: Bool {
        guard headers.contains(.accept) else { return false }
        let accept = accept
        return accept.names(.problem) && accept.quality(of: .problem) >= accept.quality(of: .json)
    }
}
