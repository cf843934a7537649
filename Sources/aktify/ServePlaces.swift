import FastCGI
import Glibc
import Supervisor

/// Where a master listens, and where it writes its process id.
struct ServePlaces {
    /// `nil` when it is started with a listening socket.
    let listen: ListenAddress?
    let status: ListenAddress?
    let pidFile: String?

    /// Looks for what a start would trip over, and goes on as the user that the master goes on as.
    /// - Throws: `Complaint`, `SystemError`.
    func check(as user: Privileges?) throws {
        // A master that re-executes itself keeps its sockets: it need not be allowed to make them.
        for case .unix(let path)? in [listen, status] { try checkFolder(of: path, F_OK) }
        try user?.assume()
        guard let pidFile else { return }
        try checkFolder(of: pidFile, W_OK | X_OK)
        var status = stat()
        if stat(pidFile, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw Complaint("cannot write \(pidFile): it is no regular file")
        }
    }

    private func checkFolder(of path: String, _ mode: Int32) throws {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        guard access(folder, mode) == 0 else {
            throw Complaint("cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Gives the sockets to a user, and goes on as that one. A socket that the master was started with may have no path.
    /// - Throws: `SystemError`.
    func handOver(to user: Privileges) throws {
        for case .unix(let path)? in [listen, status] where access(path, F_OK) == 0 { try user.own(path) }
        try user.assume()
    }

    /// Writes the process id's file as a whole: who reads it meanwhile finds the old one.
    /// - Throws: `Complaint`.
    func writeProcessID() throws {
        guard let pidFile else { return }
        let new = pidFile + ".new"
        let file = fopen(new, "w")
        if let file { fputs("\(getpid())\n", file) }
        guard let file, fclose(file) == 0, rename(new, pidFile) == 0 else {
            throw Complaint("cannot write \(pidFile): \(String(cString: strerror(errno)))")
        }
    }

    func removeProcessID() { if let pidFile { unlink(pidFile) } }
}
