import HTTPTypes
import ORM
import Resources

@testable import AktifyAPI
@testable import Web

extension FuzzTarget {
    /// What the parser accepts is written, and read again as the same value.
    static let json = FuzzTarget(name: "json") { input in
        guard let value = try? JSON(parsing: input) else { return }
        guard value.hasText else { return }
        var writer = JSONWriter()
        value.write(to: &writer)
        let text = writer.finish()
        try require(try JSON(parsing: text) == value, "\(value) is read as another value from what it is written as")
        try require(text.allSatisfy { $0 < 0x80 }, "the output is not ASCII")
    }

    /// A draft is read whole, or refused with 400, 415 or 422 and an entry for what is wrong.
    static let draft = FuzzTarget(name: "draft") { input in
        let request = Request(
            method: .post, target: "/campaigns/", headers: [.contentType: "application/json"], body: input)
        do {
            let draft = try Fields<Campaign>().values(try request.json(), for: .create, of: "campaign")
            let name = draft.value(of: Campaign.columns.name) ?? ""
            let description = draft.value(of: Campaign.columns.description) ?? ""
            let count = name.unicodeScalars.count
            try require((1...255).contains(count), "a name of \(count) characters was accepted")
            try require(!(name + description).unicodeScalars.contains("\0"), "NUL was accepted")
            try require(name == name.trimmed, "white space stayed at the ends")
        } catch let error as HTTPError {
            try require([400, 415, 422].contains(error.status.code), "\(error.status)")
            try require(!error.message.isEmpty, "an error without a sentence")
        }
    }

    /// A target's segments, decoded, encode to the same segments; merging its slashes twice changes nothing more.
    static let target = FuzzTarget(name: "target") { input in
        let text = String(decoding: input, as: UTF8.self)
        let target = Target(text)
        try require(target.path.utf8.allSatisfy { $0 != 0x3f }, "a question mark in the path")
        let rest = target.query.isEmpty ? "" : "?\(target.query)"
        try require(
            "\(target.path)\(rest)" == text || "\(target.path)?" == text, "path and query are not the target")
        let slashes = target.path.utf8.count { $0 == 0x2f }
        let leading = target.path.utf8.first == 0x2f ? 1 : 0
        try require(target.segments.count == slashes - leading + 1, "slashes do not separate the segments")
        let encoded = target.segments.map { segment in
            segment.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        let again = Target("/" + encoded.joined(separator: "/"))
        try require(again.segments == target.segments, "segments change when they are encoded and decoded")
        try require(Target(target.merged).merged == target.merged, "merging slashes twice is not as once")
        try require(!target.merged.utf8.elementsEqual("//".utf8), "slashes are left in a row")
    }

    /// The header fields for a page have neither CR nor LF in them, and allow nobody but the configured origins.
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
            try require(fields.allSatisfy { !$0.value.utf8.contains { $0 == 13 || $0 == 10 } }, "a line break")
            let allowed = fields.first { $0.name == .accessControlAllowOrigin }?.value
            guard case .origins = cors, let allowed else { continue }
            try require(allowed.utf8.elementsEqual("https://example.org".utf8), "\(allowed) is allowed")
        }
    }
}

extension JSON {
    /// Whether it has no broken string, which cannot be written.
    fileprivate var hasText: Bool {
        switch self {
        case .unpairedSurrogate: false
        case .array(let elements): elements.allSatisfy(\.hasText)
        case .object(let members): members.all.allSatisfy(\.value.hasText)
        default: true
        }
    }
}
