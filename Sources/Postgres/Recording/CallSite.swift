/// The place in the code that a statement comes from.
public struct CallSite: Hashable, Sendable, CustomStringConvertible {
    private let file: StaticString
    private let line: UInt

    /// Makes a site of what `#fileID` and `#line` say.
    public init(_ file: StaticString, _ line: UInt) { (self.file, self.line) = (file, line) }

    public static func == (left: CallSite, right: CallSite) -> Bool { left.description == right.description }

    public func hash(into hasher: inout Hasher) { hasher.combine(description) }

    /// `AktifyAPI/CampaignService.swift:12`
    public var description: String { "\(file):\(line)" }
}
