import FastCGI
import Glibc
import Supervisor

/// The addresses that a master listens on, and its PID file.
struct ServePlaces {
    /// `nil` when it is started with a listening socket.
    let listen: ListenAddress?
    let status: ListenAddress?
    let pidFile: String?

    /// - Throws: `CommandError` when two of them are the same file.
    init(listen: ListenAddress?, status: ListenAddress?, pidFile: String?) throws {
        (self.listen, self.status, self.pidFile) = (listen, status, pidFile)
        var paths = Set<String>()
        for path in socketPaths + [pidFile].compactMap({ $0 }) where !paths.insert(path).inserted {
            throw CommandError(
                "\(path) is named twice: the sockets and the file of the process id must be different files")
        }
    }

    private var socketPaths: [String] { [listen, status].compactMap { $0?.path } }

    /// Checks that the sockets and the PID file can be made, and drops privileges as the master does.
    /// - Throws: `CommandError`, `SystemError`.
    func check(as user: Privileges?) throws {
        // A master that re-executes itself keeps its sockets: it need not be allowed to make them.
        for path in socketPaths { try checkFolder(of: path, F_OK) }
        try user?.drop()
        guard let pidFile else { return }
        try checkFolder(of: pidFile, W_OK | X_OK)
        try checkIsFile(pidFile)
    }

    /// Refuses a PID file that is not a regular file, or that belongs to another running master.
    /// - Throws: `CommandError`.
    func checkPIDFile() throws {
        guard let pidFile else { return }
        try checkIsFile(pidFile)
        if let pid = try ProcessID(inFile: pidFile), pid.number != getpid(), pid.isMaster {
            throw CommandError("\(pidFile) is that of process \(pid.number), a master that runs")
        }
    }

    private func checkIsFile(_ path: String) throws {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw CommandError("cannot write \(path): it is no regular file")
        }
    }

    private func checkFolder(of path: String, _ mode: Int32) throws {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        guard access(folder, mode) == 0 else {
            throw CommandError("cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Makes a user the owner of the sockets, and drops privileges to that user. An inherited socket may have no path.
    /// - Throws: `SystemError`.
    func handOver(to user: Privileges) throws {
        for path in socketPaths where access(path, F_OK) == 0 { try user.changeOwner(of: path) }
        try user.drop()
    }

    /// Writes the PID file atomically.
    /// - Throws: `CommandError`.
    func writeProcessID() throws {
        guard let pidFile else { return }
        let new = pidFile + ".new"
        let file = fopen(new, "w")
        if let file { fputs("\(getpid())\n", file) }
        guard let file, fclose(file) == 0, rename(new, pidFile) == 0 else {
            throw CommandError("cannot write \(pidFile): \(String(cString: strerror(errno)))")
        }
    }

    /// Removes the PID file, unless another process has written it since.
    func removeProcessID() {
        guard let pidFile, let pid = try? ProcessID(inFile: pidFile), pid.number == getpid() else { return }
        unlink(pidFile)
    }
}

extension ListenAddress {
    /// A Unix socket's path; `nil` for a port.
    fileprivate var path: String? { if case .unix(let path) = self { path } else { nil } }
}
