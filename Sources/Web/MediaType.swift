import HTTPTypes

/// A media type without parameters, such as `text/csv` (RFC 9110, section 8.3.1).
public struct MediaType: Hashable, Sendable {
    /// The top-level type: `text`.
    public let type: String
    /// The subtype: `csv`.
    public let subtype: String

    /// JSON (RFC 8259).
    public static let json = MediaType("application/json")
    /// Problem details as JSON (RFC 9457).
    public static let problem = MediaType("application/problem+json")
    /// JSON Merge Patch (RFC 7396).
    public static let mergePatch = MediaType("application/merge-patch+json")
    /// CSV (RFC 4180).
    public static let csv = MediaType("text/csv")

    /// Parses a media type in the form `type/subtype`, which is case-insensitive.
    public init(_ text: some StringProtocol) {
        let parts = text.lowercased().split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        type = parts[0].trimmed
        subtype = parts.count > 1 ? parts[1].trimmed : ""
    }

    /// The media type as `type/subtype`.
    public var name: String { "\(type)/\(subtype)" }

    /// Whether this is `application/json`, or an application type with the suffix `+json` (RFC 6839, section 3.1).
    var isJSON: Bool { type == "application" && (subtype == "json" || subtype.hasSuffix("+json")) }
}

/// The value of `Accept`: the media ranges that a client accepts, with their weights (RFC 9110, section 12.5.1).
public struct Accept: Hashable, Sendable {
    private struct Range: Hashable, Sendable {
        let media: MediaType
        let quality: Int
    }

    private let ranges: [Range]

    /// Parses a comma-separated list of media ranges, ignoring malformed ranges, and all parameters except `q`.
    public init(_ text: String) {
        ranges = text.split(separator: ",").compactMap { element in
            let parts = element.split(separator: ";").map(\.trimmed)
            guard let name = parts.first, name.contains("/") else { return nil }
            let weight = parts.dropFirst().last { $0.lowercased().hasPrefix("q=") }
            return Range(media: MediaType(name), quality: weight.map { Accept.thousandths($0.dropFirst(2)) } ?? 1000)
        }
    }

    /// Returns a weight (`q`) in thousandths; a malformed weight counts as 1, which is 1000 thousandths (RFC 9110,
    /// section 12.4.2).
    private static func thousandths(_ text: Substring) -> Int {
        let bytes = Array(text.utf8)
        let fraction = bytes.dropFirst(2)
        guard bytes.first == UInt8(ascii: "0"), bytes.count < 2 || bytes[1] == UInt8(ascii: "."), fraction.count <= 3,
            fraction.allSatisfy({ (0x30...0x39).contains($0) })
        else { return 1000 }
        return fraction.reduce(0) { $0 * 10 + Int($1 - 0x30) } * [1000, 100, 10, 1][fraction.count]
    }

    /// Returns the weight of a media type in thousandths, from 0 (not acceptable) to 1000. The most specific media
    /// range that matches the media type determines the weight.
    public func quality(of media: MediaType) -> Int {
        let matching = ranges.filter { range in
            (range.media.type == "*" || range.media.type == media.type)
                && (range.media.subtype == "*" || range.media.subtype == media.subtype)
        }
        func wildcards(_ range: Range) -> Int {
            (range.media.type == "*" ? 1 : 0) + (range.media.subtype == "*" ? 1 : 0)
        }
        guard let fewest = matching.map(wildcards).min() else { return ranges.isEmpty ? 1000 : 0 }
        return matching.filter { wildcards($0) == fewest }.map(\.quality).max() ?? 0
    }

    /// Whether a media type is acceptable and listed by its name, rather than matched by a wildcard.
    func names(_ media: MediaType) -> Bool { ranges.contains { $0.media == media && $0.quality > 0 } }
}

extension Request {
    /// The media types that the client accepts, from the header field `Accept`; every media type when the field is
    /// absent.
    public var accept: Accept { Accept(headers.values(of: .accept).joined(separator: ",")) }

    /// Chooses the media type of the response: the offer with the greatest weight; of several offers with the same
    /// weight, the first.
    ///
    /// A client that lists `application/problem+json`, to receive errors in that format, is assumed to accept JSON too.
    /// - Parameter offers: the available media types, the preferred one first; at least one.
    /// - Throws: 406 when the client accepts none of the offers.
    public func negotiate(_ offers: [MediaType]) throws(HTTPError) -> MediaType {
        guard let value = headers.value(of: .accept), value != "*/*" else { return offers[0] }
        let accept = accept
        func quality(_ offer: MediaType) -> Int {
            max(accept.quality(of: offer), offer == .json && accept.names(.problem) ? 1 : 0)
        }
        let best = offers.map(quality).max() ?? 0
        guard best > 0, let offer = offers.first(where: { quality($0) == best }) else {
            let names = offers.map(\.name).joined(separator: " or ")
            throw HTTPError(.notAcceptable, "Available as \(names): change the Accept header field.")
        }
        return offer
    }

    /// Whether the client prefers errors as problem details (RFC 9457).
    var wantsProblem: Bool {
        guard headers.contains(.accept) else { return false }
        let accept = accept
        return accept.names(.problem) && accept.quality(of: .problem) >= accept.quality(of: .json)
    }
}
