/// Who may use a route, as the route declares it.
public enum Access: Hashable, Sendable {
    /// Everybody, without credentials.
    case open
    /// Who has this role, or one that includes it.
    case role(Role)
    /// Nobody: what a route that declares nothing gets.
    case denied

    /// Whether a role is enough.
    public func allows(_ role: Role) -> Bool {
        switch self {
        case .open: true
        case .role(let needed): role >= needed
        case .denied: false
        }
    }
}

extension Access: CustomStringConvertible {
    /// `open`, a role, or `denied`.
    public var description: String {
        switch self {
        case .open: "open"
        case .role(let role): role.rawValue
        case .denied: "denied"
        }
    }
}

/// What a client may do; each role includes those before it.
public enum Role: String, CaseIterable, Comparable, Sendable {
    /// Reads.
    case reader
    /// Creates and changes, and deletes one at a time.
    case editor
    /// Everything.
    case admin

    public static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .reader: 0
        case .editor: 1
        case .admin: 2
        }
    }
}

/// An authenticated client.
public struct Principal: Hashable, Sendable {
    /// The name that records of changes have: a key's, or the subject of a token.
    public let name: String
    /// What it may do.
    public let role: Role

    /// Makes a principal.
    public init(name: String, role: Role) { (self.name, self.role) = (name, role) }
}
