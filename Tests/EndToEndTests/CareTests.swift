import Foundation
import TestSupport
import Testing

/// The program under external process managers: spawn-fcgi, systemd and supervisord.
@Suite struct CareTests {
    private let database: TestDatabase
    private let folder: Folder

    init() throws {
        (database, folder) = (try TestDatabase(), try Folder())
        try run([Stack.program, "db", "upgrade"], environment: database.environment)
    }

    private var path: String { "\(folder.path)/api.sock" }

    private func child(
        _ command: [String], environment: [String: String] = [:], input: Int32? = nil
    ) throws -> Child {
        try Child(
            command, environment: database.environment.merging(environment) { $1 }, input: input,
            output: "\(folder.path)/log")
    }

    private func expectResponse(_ child: Child) throws {
        try waitUntil("it responds: \(child.log)") {
            guard let socket = try? Socket(path: path) else { return false }
            socket.send(Records.request("GET", "/campaigns/"))
            return readResponse(from: socket).status == 200
        }
    }

    @Test func `spawn-fcgi starts a worker`() throws {
        let child = try child(
            ["spawn-fcgi", "-n", "-s", path, "--", Stack.program, "worker", "--loops", "1"])
        try expectResponse(child)
        child.signal(SIGTERM)
        #expect(child.wait(seconds: 5) == 0)
    }

    @Test(arguments: ["worker", "serve"]) func `a socket of systemd is used`(command: String) throws {
        let listener = try Socket(listeningOn: path)
        // As systemd does: the socket is descriptor 3, and the variables contain this process id.
        let script = "exec 3<&0 0</dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$@\""
        let child = try child(
            ["bash", "-c", script, "bash", Stack.program, command], input: listener.descriptor)
        try expectResponse(child)
        child.signal(SIGTERM)
        #expect(child.wait(seconds: 5) == 0)
        // The socket belongs to systemd, and still exists.
        #expect(throws: Never.self) { try Socket(path: path) }
    }

    @Test func `a worker runs as supervisord's fcgi-program`() throws {
        let configuration = """
            [supervisord]
            nodaemon=true
            user=root
            logfile=\(folder.path)/supervisord.log
            pidfile=\(folder.path)/supervisord.pid
            [fcgi-program:aktify]
            command=\(Stack.program) worker --loops 1 --migrations \(checkout)/migrations
            socket=unix://\(path)
            process_name=%(program_name)s_%(process_num)02d
            numprocs=2
            stopsignal=TERM
            stderr_logfile=\(folder.path)/worker.log
            """
        let file = "\(folder.path)/supervisord.conf"
        try Data(configuration.utf8).write(to: URL(filePath: file))
        let child = try child(["supervisord", "-c", file])
        try expectResponse(child)
        child.signal(SIGTERM)
        #expect(child.wait(seconds: 10) == 0)
    }

    @Test(.enabled(if: getuid() == 0))
    func `started as root, it drops privileges to another user, who owns its sockets`()
        throws
    {
        let child = try child(
            [
                Stack.program, "serve", "--workers", "1", "--listen", "unix:\(path)", "--user", "nobody", "--group",
                "www-data",
            ], environment: ["POSTGRES_HOST": "/nowhere"])
        try waitUntil("a worker is ready: \(child.log)") { child.log.contains("a worker is ready") }
        let owners = try run(["ps", "-o", "user=,group=", "--pid", String(child.pid), "--ppid", String(child.pid)])
        #expect(
            owners.split(separator: "\n").map { $0.split(separator: " ") }
                == Array(repeating: ["nobody", "www-data"], count: 2))
        #expect(try run(["stat", "-c", "%U:%G %a", path]) == "nobody:www-data 660\n")
        child.signal(SIGTERM)
        #expect(child.wait(seconds: 5) == 0)
        let unknown = try runToEnd([Stack.program, "serve", "--listen", "unix:\(path)2", "--user", "no-such-user"])
        #expect(unknown.status == 1 && unknown.output == "Error: there is no user no-such-user\n")
    }

    @Test func `systemd is notified of the start, a reload, the stop, and the watchdog`() throws {
        let notify = try Socket(receivingOn: "\(folder.path)/notify.sock")
        let child = try child(
            [Stack.program, "serve", "--workers", "1", "--listen", "unix:\(path)"],
            environment: ["NOTIFY_SOCKET": "\(folder.path)/notify.sock", "WATCHDOG_USEC": "400000"])
        func expect(_ message: String) throws {
            for _ in 0..<100 where String(decoding: notify.receive(), as: UTF8.self).hasPrefix(message) { return }
            Issue.record("systemd was not notified: \(message): \(child.log)")
        }
        try expect("READY=1")
        try expect("WATCHDOG=1")
        child.signal(SIGHUP)
        try expect("RELOADING=1\nMONOTONIC_USEC=")
        try expect("READY=1")
        child.signal(SIGTERM)
        try expect("STOPPING=1")
        #expect(child.wait(seconds: 5) == 0)
    }
}

/// The files that `make install` installs, and `make uninstall` removes.
@Suite struct InstallTests {
    private func make(_ target: String, _ folder: Folder) throws -> (status: Int32, output: String) {
        try runToEnd(["make", "-s", target, "DESTDIR=\(folder.path)", "PREFIX=/opt/aktify", "SYSCONFDIR=/etc"])
    }

    private func files(in folder: Folder) throws -> [String] {
        try run(["find", folder.path, "-type", "f", "-printf", "%P\n"]).split(separator: "\n").map { String($0) }
    }

    @Test func `the installed program runs, its units refer to it, and uninstalling removes everything`() throws {
        let folder = try Folder()
        for _ in 0..<2 { #expect(try make("install", folder).status == 0) }
        let root = "\(folder.path)/opt/aktify"
        #expect(try run(["\(root)/bin/aktify", "--version"]) == "\(Stack.version)\n")
        let check = try runToEnd([
            "\(root)/bin/aktify", "serve", "--check", "--migrations", "\(root)/share/aktify/migrations",
        ])
        #expect(check.output == "The configuration is fine.\n")
        let unit = try String(contentsOfFile: "\(root)/lib/systemd/system/aktify.service", encoding: .utf8)
        #expect(unit.contains("ExecStart=/opt/aktify/bin/aktify serve --env-file /etc/aktify/aktify.env "))
        for file in try files(in: folder) where !["/bin/", "libexec", ".gz"].contains(where: file.contains) {
            let text = try String(contentsOfFile: "\(folder.path)/\(file)", encoding: .utf8)
            #expect(!text.contains("@PREFIX@") && !text.contains("@SOCKETS@") && !text.contains("@CONFIG@"), "\(file)")
        }
        // A file that the operator has created is kept.
        try Data("WORKERS=1\n".utf8).write(to: URL(filePath: "\(folder.path)/etc/aktify/aktify.env"))
        #expect(try make("uninstall", folder).status == 0)
        #expect(try files(in: folder) == ["etc/aktify/aktify.env"])
    }

    @Test func `the operator's listen.conf for nginx is kept`() throws {
        let folder = try Folder()
        #expect(try make("install", folder).status == 0)
        let (listen, share) = ("\(folder.path)/etc/aktify/listen.conf", "\(folder.path)/opt/aktify/share/aktify/nginx")
        let api = try String(contentsOfFile: "\(share)/api.conf", encoding: .utf8)
        #expect(
            api.contains("include /etc/aktify/listen.conf;")
                && api.contains("include /opt/aktify/share/aktify/nginx/headers.conf;"))
        try run(["diff", "nginx/listen.conf", listen])
        let tls = try String(contentsOfFile: "\(share)/tls.conf", encoding: .utf8)
        #expect(tls.contains("ssl_certificate /etc/aktify/tls/fullchain.pem;"))
        try run(["cp", "\(share)/tls.conf", listen])
        for command in ["install", "uninstall"] {
            #expect(try make(command, folder).status == 0)
            #expect(try String(contentsOfFile: listen, encoding: .utf8) == tls)
        }
    }
}
