import EventLoop
import Glibc

/// The user and group to drop root privileges to.
public struct Privileges: Sendable {
    private let user: uid_t
    private let group: gid_t
    private let name: String

    /// An error that prevents dropping privileges: the user or group is unknown, or the process may not change its
    /// user.
    public struct InvalidUser: Error, CustomStringConvertible {
        public let description: String
    }

    /// Looks up a user and a group by name; the group defaults to the user's primary group.
    /// - Throws: `InvalidUser` when the user or group is unknown, or when the process is neither root nor that user
    ///   already.
    public init(user name: String, group: String?) throws(InvalidUser) {
        guard let entry = getpwnam(name) else { throw InvalidUser(description: "there is no user \(name)") }
        guard getuid() == 0 || getuid() == entry.pointee.pw_uid else {
            throw InvalidUser(description: "only root can switch to another user")
        }
        (user, self.group, self.name) = (entry.pointee.pw_uid, try Privileges.gid(group) ?? entry.pointee.pw_gid, name)
    }

    private static func gid(_ name: String?) throws(InvalidUser) -> gid_t? {
        guard let name else { return nil }
        guard let entry = getgrnam(name) else { throw InvalidUser(description: "there is no group \(name)") }
        return entry.pointee.gr_gid
    }

    /// Changes the owner and group of a file to this user and group. Does nothing unless the process is root.
    /// - Throws: `SystemError` when chown(2) fails.
    public func changeOwner(of path: String) throws(SystemError) {
        guard getuid() == 0 else { return }
        try check("chown \(path)", chown(path, user, group))
    }

    /// Drops root privileges permanently. Does nothing unless the process is root: a master that has re-executed itself
    /// has already dropped them.
    /// - Throws: `SystemError` when the user or group cannot be changed.
    public func drop() throws(SystemError) {
        guard getuid() == 0 else { return }
        try check("initgroups", initgroups(name, group))
        try check("setgid", setgid(group))
        try check("setuid", setuid(user))
    }
}
