import FastCGI
import Glibc
import Supervisor

/// Where a master listens, and where it writes its process id.
struct ServePlaces {
    /// `nil` when it is started with a listening socket.
    let listen: ListenAddress?
    let status: ListenAddress?
    let pidFile: String?

    /// - Throws: `Complaint` when two of them are the same file.
    init(listen: ListenAddress?, status: ListenAddress?, pidFile: String?) throws {
        (self.listen, self.status, self.pidFile) = (listen, status, pidFile)
        var paths = Set<String>()
        for path in [listen?.path, status?.path, pidFile].compactMap({ $0 }) where !paths.insert(path).inserted {
            throw Complaint(
                "\(path) is named twice: the sockets and the file of the process id must be different files")
        }
    }

    /// Looks for what a start would trip over, and goes on as the user that the master goes on as.
    /// - Throws: `Complaint`, `SystemError`.
    func check(as user: Privileges?) throws {
        // A master that re-executes itself keeps its sockets: it need not be allowed to make them.
        for path in [listen?.path, status?.path].compactMap({ $0 }) { try checkFolder(of: path, F_OK) }
        try user?.assume()
        guard let pidFile else { return }
        try checkFolder(of: pidFile, W_OK | X_OK)
        try checkIsFile(pidFile)
    }

    /// Refuses a file that is not one for a process id, or that another master has written which runs.
    /// - Throws: `Complaint`.
    func checkPIDFile() throws {
        guard let pidFile else { return }
        try checkIsFile(pidFile)
        if let pid = try ProcessID(inFile: pidFile), pid.number != getpid(), pid.isMaster {
            throw Complaint("\(pidFile) is that of process \(pid.number), a master that runs")
        }
    }

    private func checkIsFile(_ path: String) throws {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw Complaint("cannot write \(path): it is no regular file")
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
        for path in [listen?.path, status?.path].compactMap({ $0 }) where access(path, F_OK) == 0 { try user.own(path) }
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

    /// Removes the file, if it still is this process's.
    func removeProcessID() {
        guard let pidFile, let pid = try? ProcessID(inFile: pidFile), pid.number == getpid() else { return }
        unlink(pidFile)
    }
}

extension ListenAddress {
    /// A Unix socket's path; `nil` for a port.
    fileprivate var path: String? { if case .unix(let path) = self { path } else { nil } }
}
