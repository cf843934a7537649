import FastCGI
import Glibc
import Supervisor

/// The addresses that a master listens on, and its PID file.
struct RuntimeFiles {
    /// The configured address for requests, if any. An inherited listening socket takes precedence over this address.
    let listen: ListenAddress?
    /// The address of the status report, if any.
    let status: ListenAddress?
    /// The path of the PID file, if any.
    let pidFile: String?

    /// Checks that the Unix sockets and the PID file are different files.
    /// - Throws: `CommandError` when two of them have the same path.
    init(listen: ListenAddress?, status: ListenAddress?, pidFile: String?) throws {
        (self.listen, self.status, self.pidFile) = (listen, status, pidFile)
        var paths = Set<String>()
        for path in socketPaths + [pidFile].compactMap({ $0 }) where !paths.insert(path).inserted {
            throw CommandError(
                "\(path) is given twice: the sockets and the PID file must be different files")
        }
    }

    private var socketPaths: [String] { [listen, status].compactMap { $0?.path } }

    /// Checks that the directories of the Unix sockets exist, drops privileges as the master does, and checks that the
    /// PID file can be written.
    /// - Throws: `CommandError` when a check fails, `SystemError` when privileges cannot be dropped.
    func check(as user: Privileges?) throws {
        // A master that re-executes itself keeps its sockets, so it does not need write permission to their directory.
        for path in socketPaths { try checkFolder(of: path, F_OK) }
        try user?.drop()
        guard let pidFile else { return }
        try checkFolder(of: pidFile, W_OK | X_OK)
        try checkIsFile(pidFile)
    }

    /// Checks that the PID file is a regular file, or does not exist, and does not belong to another running master.
    /// - Throws: `CommandError` when the check fails.
    func checkPIDFile() throws {
        guard let pidFile else { return }
        try checkIsFile(pidFile)
        if let pid = try ProcessID(inFile: pidFile), pid.number != getpid(), pid.isMaster {
            throw CommandError("\(pidFile) belongs to process \(pid.number), a running master")
        }
    }

    private func checkIsFile(_ path: String) throws {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw CommandError("cannot write \(path): not a regular file")
        }
    }

    private func checkFolder(of path: String, _ mode: Int32) throws {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        guard access(folder, mode) == 0 else {
            throw CommandError("cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Makes a user the owner of the Unix sockets, and drops privileges to that user. A path that does not exist is
    /// skipped, since an inherited socket may have no file.
    /// - Throws: `SystemError` when the owner cannot be changed or privileges cannot be dropped.
    func handOver(to user: Privileges) throws {
        for path in socketPaths where access(path, F_OK) == 0 { try user.changeOwner(of: path) }
        try user.drop()
    }

    /// Writes the PID file atomically.
    /// - Throws: `CommandError` when the file cannot be written.
    func writeProcessID() throws {
        guard let pidFile else { return }
        let new = pidFile + ".new"
        let file = fopen(new, "w")
        if let file { fputs("\(getpid())\n", file) }
        guard let file, fclose(file) == 0, rename(new, pidFile) == 0 else {
            throw CommandError("cannot write \(pidFile): \(String(cString: strerror(errno)))")
        }
    }

    /// Removes the PID file, unless another process has overwritten it.
    func removeProcessID() {
        guard let pidFile, let pid = try? ProcessID(inFile: pidFile), pid.number == getpid() else { return }
        unlink(pidFile)
    }
}

extension ListenAddress {
    /// The path of a Unix socket; `nil` for a TCP address.
    fileprivate var path: String? { if case .unix(let path) = self { path } else { nil } }
}
