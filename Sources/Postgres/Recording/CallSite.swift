/// The location in the source code that a statement was executed from.
public struct CallSite: Hashable, Sendable, CustomStringConvertible {
    private let file: StaticString
    private let line: UInt

    /// Creates a call site from `#fileID` and `#line`.
    public init(_ file: StaticString, _ line: UInt) { (self.file, self.line) = (file, line) }

    public static func == (left: CallSite, right: CallSite) -> Bool { left.description == right.description }

    public func hash(into hasher: inout Hasher) { hasher.combine(description) }

    /// The file and the line: `AktifyAPI/CampaignService.swift:12`.
    public var description: String { "\(file):\(line)" }
}
