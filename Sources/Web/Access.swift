/// The authorization that a route requires.
public enum Access: Hashable, Sendable {
    /// Anyone may use the route, without credentials.
    case open
    /// Only principals with this role, or a higher one, may use the route.
    case role(Role)
    /// Nobody may use the route. This is the default for routes that declare no access.
    case denied

    /// Whether a principal with `role` may use the route.
    public func allows(_ role: Role) -> Bool {
        switch self {
        case .open: true
        case .role(let needed): role >= needed
        case .denied: false
        }
    }
}

extension Access: CustomStringConvertible {
    /// The access as text: `open`, the name of the required role, or `denied`.
    public var description: String {
        switch self {
        case .open: "open"
        case .role(let role): role.rawValue
        case .denied: "denied"
        }
    }
}

/// The role of a principal: a set of permissions. Each role includes the permissions of the roles declared before it.
public enum Role: String, CaseIterable, Comparable, Sendable {
    /// Permits reading rows.
    case reader
    /// Also permits creating and changing rows, and deleting single rows.
    case editor
    /// Permits everything, including the deletion of all rows that match a filter, which no other role permits.
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
    /// The name of the principal in change records: `key:` and the name of the API key, or `jwt:` and the token's
    /// subject.
    public let name: String
    /// The principal's role.
    public let role: Role

    /// Creates a principal.
    public init(name: String, role: Role) { (self.name, self.role) = (name, role) }
}
