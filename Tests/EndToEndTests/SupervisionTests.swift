import Foundation
import TestSupport
import Testing

/// Failures that the master and its workers survive: invalid configurations, a missing program, stalled workers, and a
/// log that nobody reads.
@Suite(.serialized) struct SupervisionTests {
    private static func write(_ text: String, to file: String) throws {
        try Data(text.utf8).write(to: URL(filePath: file))
    }

    @Test func `USR2 with an invalid configuration changes nothing, and is reported`() throws {
        let folder = try Folder()
        let (file, pidFile) = ("\(folder.path)/env", "\(folder.path)/pid")
        try Self.write("LOG_LEVEL=info\n", to: file)
        let stack = try Stack(master: ["--workers", "2", "--env-file", file, "--pid-file", pidFile])
        try waitUntil("both are ready") { stack.events("a worker is ready").count == 2 }
        let before = try stack.workers()
        try Self.write("LOG_LEVEL=bogus\n", to: file)
        stack.worker.signal(SIGUSR2)
        try waitUntil("the reload fails") { stack.worker.log.contains("the reload failed") }
        #expect(stack.worker.log.contains(#"the old workers keep running: Error: LOG_LEVEL: expected one of "#))
        #expect(try stack.workers() == before && stack.get("/").status == 200)
        #expect(stack.events("the master re-executes itself").isEmpty && !stack.worker.hasEnded)
        #expect(try String(contentsOfFile: pidFile, encoding: .utf8) == "\(stack.worker.pid)\n")
        #expect(try stack.status()["failed reloads"] as? Int == 1)
        try Self.write("LOG_LEVEL=info\n", to: file)
        try stack.reload(by: SIGUSR2)
        #expect(try Set(stack.workers()).isDisjoint(with: before))
        #expect(try String(contentsOfFile: pidFile, encoding: .utf8) == "\(stack.worker.pid)\n")
        stack.worker.signal(SIGTERM)
        #expect(stack.worker.wait(seconds: 10) == 0 && !FileManager.default.fileExists(atPath: pidFile))
    }

    @Test func `after a failed reload, a worker that dies is replaced with the previous variables`() throws {
        let folder = try Folder()
        let file = "\(folder.path)/env"
        try Self.write("LOG_LEVEL=info\n", to: file)
        let stack = try Stack(master: ["--workers", "1", "--env-file", file])
        try Self.write("LOG_LEVEL=bogus\n", to: file)
        stack.worker.signal(SIGHUP)
        try waitUntil("the reload fails") { stack.worker.log.contains("the reload failed") }
        let ready = stack.events("a worker is ready").count
        kill(try #require(stack.workers().first), SIGKILL)
        try waitUntil("it is replaced") { stack.events("a worker is ready").count > ready }
        #expect(try stack.get("/").status == 200)
    }

    @Test(arguments: [
        (["LOG_LEVEL": "bogus"], "LOG_LEVEL: expected"), (["WORKERS": "none"], "WORKERS must be a number"),
        (["STUCK_AFTER_MS": "10"], "STUCK_AFTER_MS: expected"), (["LISTEN": "nowhere"], "LISTEN: expected"),
        (["STATUS_LISTEN": "nowhere"], "STATUS_LISTEN: expected"),
        (["PID_FILE": "/nowhere/pid"], "cannot write /nowhere/pid"),
        (["LISTEN": "unix:/nowhere/api.sock"], "cannot write /nowhere/api.sock"),
        (["PID_FILE": "/tmp"], "not a regular file"),
    ]) func `--check finds what would fail a start`(variables: [String: String], message: String) throws {
        let check = try runToEnd([Stack.program, "serve", "--check"], environment: variables)
        #expect(check.status != 0 && check.output.contains(message), "\(check.output)")
    }

    @Test(arguments: [
        (["--workers", "0"], "--workers must be between 1 and 64, not 0."),
        (["--workers", "65"], "--workers must be between 1 and 64, not 65."),
        (["--max-rss", "0"], "--max-rss must be between 1 and 1000000, not 0."),
        (["--startup-timeout", "0"], "--startup-timeout must be between 1 and 86400, not 0."),
        (["--group", "nobody"], "--group requires --user."), (["--env-file", "/tmp"], "cannot read /tmp"),
        (["--user", "no-such-user"], "there is no user no-such-user"),
        (
            ["--pid-file", "/tmp/unused.sock"],
            "/tmp/unused.sock is given twice: the sockets and the PID file must be different files"
        ),
    ]) func `an invalid option is rejected in one line`(options: [String], message: String) throws {
        let (status, output) = try runToEnd([Stack.program, "serve", "--listen", "unix:/tmp/unused.sock"] + options)
        #expect(status != 0 && output.hasPrefix("Error: \(message)\n"), "\(output)")
    }

    @Test func `a FIFO as the environment file is rejected immediately`() throws {
        let folder = try Folder()
        mkfifo("\(folder.path)/env", 0o600)
        let (status, output) = try runToEnd([Stack.program, "serve", "--env-file", "\(folder.path)/env"])
        #expect(status == 1 && output == "Error: cannot read \(folder.path)/env\n")
    }

    @Test func `reloads with a missing program leak nothing`() throws {
        let stack = try Stack(workers: 2)
        let program = "\(stack.folder.path)/aktify"
        func descriptors() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(stack.worker.pid)/fd").count
        }
        let (before, workers) = (try descriptors(), try stack.workers())
        try FileManager.default.moveItem(atPath: program, toPath: program + ".good")
        for (round, signal) in (Array(repeating: SIGHUP, count: 20) + [SIGUSR2]).enumerated() {
            stack.worker.signal(signal)
            try waitUntil("reload \(round) fails") {
                stack.worker.log.components(separatedBy: "the reload failed").count == round + 2
            }
            #expect(try descriptors() == before)
        }
        #expect(try stack.workers() == workers)
        try FileManager.default.moveItem(atPath: program + ".good", toPath: program)
        try stack.reload()
        #expect(try descriptors() == before)
    }

    @Test func `a worker survives a short stall, even with a short request timeout`() throws {
        let stack = try Stack(workers: 1, environment: ["REQUEST_TIMEOUT_MS": "100"])
        let worker = try #require(stack.workers().first)
        for _ in 0..<3 {
            kill(worker, SIGSTOP)
            usleep(800_000)
            kill(worker, SIGCONT)
            usleep(300_000)
        }
        #expect(try stack.workers() == [worker])
        #expect(stack.events("a worker is stuck, and is replaced").isEmpty)
    }

    // MARK: The log

    /// A master whose log is a pipe with a buffer of one page, and the read end of the pipe.
    private static func masterWithPipe(_ database: TestDatabase, _ folder: Folder) throws -> (Child, reader: Int32) {
        let pipe = "\(folder.path)/log"
        mkfifo(pipe, 0o600)
        let reader = open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        _ = fcntl(reader, 1031, 4096)  // F_SETPIPE_SZ
        try run([program, "db", "upgrade"], environment: database.environment)
        let master = try Child(
            [program, "serve", "--workers", "2", "--listen", "unix:\(folder.path)/api.sock"],
            environment: database.environment.merging(["LOG_REQUESTS": "1"]) { $1 }, output: pipe)
        try waitUntil("it answers") { (try? Self.get(folder)) == 200 }
        return (master, reader)
    }

    private static let program = Stack.program

    private static func get(_ folder: Folder) throws -> Int {
        let socket = try Socket(path: "\(folder.path)/api.sock")
        socket.send(Records.request("GET", "/"))
        return readResponse(from: socket).status
    }

    @Test func `a log that is not read delays no request, and the number of dropped lines is reported`() throws {
        let (database, folder) = (try TestDatabase(), try Folder())
        let (master, reader) = try Self.masterWithPipe(database, folder)
        defer { close(reader) }
        for _ in 0..<200 { #expect(try timed { try Self.get(folder) }.seconds < 2) }
        master.signal(SIGTTIN)
        var (buffer, text) = ([UInt8](repeating: 0, count: 65_536), "")
        try waitUntil("it is reported") {
            _ = try Self.get(folder)
            let count = read(reader, &buffer, buffer.count)
            if count > 0 { text += String(decoding: buffer[..<count], as: UTF8.self) }
            return text.contains("log lines were dropped")
        }
        master.signal(SIGTERM)
        #expect(master.wait(seconds: 10) == 0)
    }

    @Test func `master and workers survive the end of the process that reads their log`() throws {
        let (database, folder) = (try TestDatabase(), try Folder())
        let (master, reader) = try Self.masterWithPipe(database, folder)
        let workers = try runToEnd(["pgrep", "-P", String(master.pid)]).output
        close(reader)
        for _ in 0..<20 { #expect(try Self.get(folder) == 200) }
        master.signal(SIGUSR1)
        usleep(200_000)
        #expect(!master.hasEnded)
        #expect(try runToEnd(["pgrep", "-P", String(master.pid)]).output == workers)
        master.signal(SIGTERM)
        #expect(master.wait(seconds: 10) == 0)
    }
}
