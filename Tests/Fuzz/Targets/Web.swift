import HTTPTypes
import ORM
import Resources

@testable import AktifyAPI
@testable import Web

extension FuzzTarget {
    /// An accepted JSON value is serialized, and parsed again as the same value.
    static let json = FuzzTarget(name: "json") { input in
        guard let value = try? JSON(parsing: input) else { return }
        guard value.isWritable else { return }
        var writer = JSONWriter()
        value.write(to: &writer)
        let text = writer.finish()
        try require(try JSON(parsing: text) == value, "\(value) is parsed as another value after it was serialized")
        try require(text.allSatisfy { $0 < 0x80 }, "the output is not ASCII")
    }

    /// A request body is either decoded completely or rejected with 400, 415 or 422 and a message.
    static let campaign = FuzzTarget(name: "campaign") { input in
        let request = Request(
            method: .post, target: "/campaigns/", headers: [.contentType: "application/json"], body: input)
        do {
            let values = try Fields<Campaign>().values(try request.json(), for: .create, of: "campaign")
            let name = values.value(of: Campaign.columns.name) ?? ""
            let description = values.value(of: Campaign.columns.description) ?? ""
            let count = name.unicodeScalars.count
            try require((1...255).contains(count), "a name of \(count) characters was accepted")
            try require(!(name + description).unicodeScalars.contains("\0"), "NUL was accepted")
            try require(name == name.trimmed, "the name was not trimmed")
        } catch let error as HTTPError {
            try require([400, 415, 422].contains(error.status.code), "\(error.status)")
            try require(!error.message.isEmpty, "the error has no message")
        }
    }

    /// Percent-encoding the segments of a request target and parsing the result yields the same segments. Merging
    /// consecutive slashes is idempotent.
    static let target = FuzzTarget(name: "target") { input in
        let text = String(decoding: input, as: UTF8.self)
        let target = Target(text)
        try require(target.path.utf8.allSatisfy { $0 != 0x3f }, "the path contains a question mark")
        let rest = target.query.isEmpty ? "" : "?\(target.query)"
        try require(
            "\(target.path)\(rest)" == text || "\(target.path)?" == text, "path and query do not make up the target")
        let slashes = target.path.utf8.count { $0 == 0x2f }
        let leading = target.path.utf8.first == 0x2f ? 1 : 0
        try require(target.segments.count == slashes - leading + 1, "slashes do not separate the segments")
        let encoded = target.segments.map { segment in
            segment.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        let parsedAgain = Target("/" + encoded.joined(separator: "/"))
        try require(parsedAgain.segments == target.segments, "segments change when they are encoded and decoded")
        try require(Target(target.merged).merged == target.merged, "merging slashes is not idempotent")
        try require(!target.merged.contains("//"), "consecutive slashes are left")
    }

    /// The CORS header fields contain neither CR nor LF, and allow configured origins only.
    static let cors = FuzzTarget(name: "cors") { input in
        let parts = input.split(separator: 10, maxSplits: 2, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        var headers = HeaderFields()
        headers.append(.origin, parts[0])
        if parts.count > 1 { headers.append(.accessControlRequestMethod, parts[1]) }
        if parts.count > 2 { headers.append(.accessControlRequestHeaders, parts[2]) }
        let request = Request(method: .options, target: "/", headers: headers)
        for cors in [CORS.anyOrigin, .origins(["https://example.org"])] {
            var fields = HeaderFields()
            cors.append(to: &fields, for: request)
            try require(
                fields.allSatisfy { !$0.value.utf8.contains { $0 == 13 || $0 == 10 } },
                "a header field contains a line break")
            let allowed = fields.first { $0.name == .accessControlAllowOrigin }?.value
            guard case .origins = cors, let allowed else { continue }
            try require(allowed.utf8.elementsEqual("https://example.org".utf8), "\(allowed) is allowed")
        }
    }
}

extension JSON {
    /// Whether the value contains no string with an unpaired surrogate. Such a string cannot be serialized.
    fileprivate var isWritable: Bool {
        switch self {
        case .unpairedSurrogate: false
        case .array(let elements): elements.allSatisfy(\.isWritable)
        case .object(let members): members.all.allSatisfy(\.value.isWritable)
        default: true
        }
    }
}
