import EventLoop
import Glibc

/// A user and a group that a process that was started as root goes on as.
public struct Privileges: Sendable {
    private let user: uid_t
    private let group: gid_t
    private let name: String

    /// A name that this machine does not know, or a process that may not change its user: a sentence.
    public struct Refused: Error, CustomStringConvertible {
        public let description: String
    }

    /// Looks a user up, and a group, which is the user's own when it is not named.
    /// - Throws: `Refused`.
    public init(user name: String, group: String?) throws(Refused) {
        guard let entry = getpwnam(name) else { throw Refused(description: "there is no user \(name)") }
        guard getuid() == 0 || getuid() == entry.pointee.pw_uid else {
            throw Refused(description: "only root can go on as another user")
        }
        (user, self.group, self.name) = (entry.pointee.pw_uid, try Privileges.gid(group) ?? entry.pointee.pw_gid, name)
    }

    private static func gid(_ name: String?) throws(Refused) -> gid_t? {
        guard let name else { return nil }
        guard let entry = getgrnam(name) else { throw Refused(description: "there is no group \(name)") }
        return entry.pointee.gr_gid
    }

    /// Gives a file to them.
    /// - Throws: `SystemError`.
    public func own(_ path: String) throws(SystemError) {
        guard getuid() == 0 else { return }
        try check("chown \(path)", chown(path, user, group))
    }

    /// Goes on as them, for good; a master that re-executed itself does so already.
    /// - Throws: `SystemError`.
    public func assume() throws(SystemError) {
        guard getuid() == 0 else { return }
        try check("initgroups", initgroups(name, group))
        try check("setgid", setgid(group))
        try check("setuid", setuid(user))
    }
}
