import Foundation
import TestSupport
import Testing

/// The master: workers start and stop, and no request is lost.
@Suite(.serialized) struct MasterTests {
    @Test func `no acknowledged row is lost when workers are killed`() throws {
        let stack = try Stack(workers: 3)
        var acknowledged = 0
        for round in 0..<200 {
            if round % 20 == 0, let victim = try stack.workers().randomElement() { kill(victim, SIGKILL) }
            if (try? stack.post(#"{"name":"kept"}"#))?.status == 201 { acknowledged += 1 }
        }
        let rows = Int(try stack.database.sql("SELECT count(*) FROM campaign WHERE name = 'kept'")) ?? 0
        #expect(acknowledged >= 180 && rows >= acknowledged)
    }

    @Test func `signals start and stop workers`() throws {
        let stack = try Stack(workers: 2)
        func expect(_ wanted: Int, after signal: Int32) throws {
            stack.worker.signal(signal)
            try waitUntil("there are \(wanted) workers") { try stack.workers().count == wanted }
        }
        try expect(3, after: SIGTTIN)
        try expect(2, after: SIGTTOU)
        try expect(1, after: SIGTTOU)
        try expect(0, after: SIGWINCH)
        #expect(!stack.worker.hasEnded)
        try expect(2, after: SIGHUP)
        try waitUntil("it answers") { try stack.get("/").status == 200 }
        stack.worker.signal(SIGUSR1)
        stack.worker.signal(SIGTERM)
        #expect(stack.worker.wait(seconds: 5) == 0)
    }

    @Test func `workers share the connection limit of Postgres`() throws {
        let stack = try Stack(workers: 7)
        for worker in try stack.workers() {
            let variables = try String(contentsOfFile: "/proc/\(worker)/environ", encoding: .utf8).split(
                separator: "\0")
            #expect(variables.contains("POSTGRES_CONNECTIONS=6"))
        }
    }

    @Test func `a request in progress is finished when the master stops`() throws {
        let stack = try Stack(workers: 1)
        do {
            let socket = try Socket(path: stack.socketPath)
            let request = Records.request("GET", "/campaigns/1")
            socket.send(Array(request.dropLast(4)))
            usleep(100_000)
            stack.worker.signal(SIGTERM)
            usleep(200_000)
            socket.send(Array(request.suffix(4)))
            #expect(readResponse(from: socket).status == 200)
        }
        #expect(stack.worker.wait(seconds: 5) == 0)
    }

    @Test func `when the master is killed, its workers exit`() throws {
        let stack = try Stack(workers: 2)
        let pids = try stack.workers()
        stack.worker.signal(SIGKILL)
        try waitUntil("they have ended") { pids.allSatisfy { kill($0, 0) != 0 } }
    }

    @Test func `the environment file is read again on each reload`() throws {
        let folder = try Folder()
        let file = "\(folder.path)/env"
        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: file)) }
        try write("# what pages\nCORS_ALLOW_ORIGINS=\"http://one\"\n")
        let stack = try Stack(master: ["--workers", "1", "--env-file", file])
        func allowed(_ origin: String) throws -> Bool {
            try stack.get("/", headers: ["Origin: \(origin)"]).headers["access-control-allow-origin"] == origin
        }
        #expect(try allowed("http://one") && !allowed("http://two"))
        try write("CORS_ALLOW_ORIGINS=http://two\n")
        try stack.reload()
        #expect(try !allowed("http://one") && allowed("http://two"))
        try write("what is this\n")
        stack.worker.signal(SIGHUP)
        try waitUntil("the reload fails") { stack.worker.log.contains("\(file):1: expected NAME=VALUE") }
        #expect(try allowed("http://two"))
    }

    @Test func `a variable of libpq that is removed from the environment file is gone after the next reload`() throws {
        let folder = try Folder()
        let file = "\(folder.path)/env"
        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: file)) }
        try write("PGSSLMODE=prefer\n")
        let stack = try Stack(master: ["--workers", "1", "--env-file", file])
        func isSet() throws -> Bool {
            let worker = try #require(stack.workers().first)
            return try String(contentsOfFile: "/proc/\(worker)/environ", encoding: .utf8).contains("PGSSLMODE=")
        }
        try waitUntil("it is ready") { stack.events("a worker is ready").count == 1 }
        #expect(try isSet())
        try write("")
        for signal in [SIGHUP, SIGUSR2] {
            try stack.reload(by: signal)
            #expect(try !isSet())
        }
    }

    @Test func `a master whose workers cannot start reports the reason, and exits`() throws {
        let database = try TestDatabase()
        let folder = try Folder()
        func serve(_ arguments: String...) throws -> (status: Int32, output: String) {
            try runToEnd(
                [Stack.program, "serve", "--listen", "unix:\(folder.path)/api.sock"] + arguments,
                environment: database.environment)
        }
        let behind = try serve("--workers", "2")
        #expect(behind.status == 1 && behind.output.hasPrefix("Error: the database's schema is at base, behind"))
        #expect(behind.output.split(separator: "\n").count == 1)
        #expect(try serve("--check").output == "The configuration is fine.\n")
        #expect(
            try serve("--migrations", "/nowhere").output.hasPrefix("Error: cannot read the folder /nowhere/versions"))
        try run([Stack.program, "db", "upgrade"], environment: database.environment)
        // Workers are started with argv[0] of the master.
        let workerless = "exec -a /bin/false \"$0\" serve --workers 2 --listen unix:\(folder.path)/api.sock"
        let none = try runToEnd(["bash", "-c", workerless, Stack.program], environment: database.environment)
        #expect(none.status == 1 && none.output.hasSuffix("Error: no worker could be started: see the errors above\n"))
    }

    @Test func `as the init process of a container it reaps its children, and stops in time`() throws {
        let database = try TestDatabase()
        let folder = try Folder()
        try run([Stack.program, "db", "upgrade"], environment: database.environment)
        let master = try Child(
            [
                "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", Stack.program, "serve", "--workers", "2",
                "--listen", "unix:\(folder.path)/api.sock", "--pid-file", "\(folder.path)/pid",
            ], environment: database.environment, output: "\(folder.path)/log")
        try waitUntil("two are ready: \(master.log)") {
            master.log.components(separatedBy: "a worker is ready").count == 3
        }
        let inside = try #require(pid_t(runToEnd(["pgrep", "-P", String(master.pid)]).output.dropLast()))
        #expect(try String(contentsOfFile: "\(folder.path)/pid", encoding: .utf8) == "1\n")
        kill(inside, SIGTERM)
        #expect(master.wait(seconds: 5) == 0)
    }

    @Test func `an inherited listening socket is used`() throws {
        let database = try TestDatabase()
        let folder = try Folder()
        try run([Stack.program, "db", "upgrade"], environment: database.environment)
        let path = "\(folder.path)/api.sock"
        let listener = try Socket(listeningOn: path)
        let master = try Child(
            [Stack.program, "serve", "--workers", "2"], environment: database.environment, input: listener.descriptor,
            output: "\(folder.path)/log")
        try waitUntil("it is ready: \(master.log)") { master.log.contains("a worker is ready") }
        let client = try Socket(path: path)
        client.send(Records.request("GET", "/"))
        #expect(readResponse(from: client).status == 200)
    }

    @Test func `the sockets and the PID file may be set in the environment file`() throws {
        let (database, folder) = (try TestDatabase(), try Folder())
        try run([Stack.program, "db", "upgrade"], environment: database.environment)
        let file = "\(folder.path)/env"
        let text = """
            LISTEN=unix:\(folder.path)/api.sock
            STATUS_LISTEN=unix:\(folder.path)/status.sock
            PID_FILE=\(folder.path)/pid
            WORKERS=3
            """
        try Data(text.utf8).write(to: URL(filePath: file))
        let master = try Child(
            [Stack.program, "serve", "--env-file", file], environment: database.environment,
            output: "\(folder.path)/log")
        try waitUntil("it is ready: \(master.log)") {
            master.log.components(separatedBy: "a worker is ready").count == 4
        }
        for socket in ["api.sock", "status.sock"] { _ = try Socket(path: "\(folder.path)/\(socket)") }
        #expect(try String(contentsOfFile: "\(folder.path)/pid", encoding: .utf8) == "\(master.pid)\n")
    }

    @Test func `reload waits for the outcome if it has the status address, and exits with 1 if the reload failed`()
        throws
    {
        let folder = try Folder()
        let (file, pidFile) = ("\(folder.path)/env", "\(folder.path)/pid")
        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: file)) }
        try write("LOG_LEVEL=info\n")
        let stack = try Stack(master: ["--workers", "2", "--pid-file", pidFile, "--env-file", file])
        func reload(_ arguments: [String]) throws -> (status: Int32, output: String) {
            try runToEnd(
                [Stack.program, "reload", "--pid-file", pidFile, "--connect", "unix:\(stack.folder.path)/status.sock"]
                    + arguments)
        }
        try waitUntil("both are ready") { stack.events("a worker is ready").count == 2 }
        #expect(try reload([]) == (0, ""))
        #expect(stack.events("the reload is complete").count == 1)
        #expect(try reload(["--all"]) == (0, ""))
        #expect(stack.events("the reload is complete").count == 2)
        try write("LOG_LEVEL=bogus\n")
        for arguments in [[], ["--all"]] {
            let (status, output) = try reload(arguments)
            #expect(status == 1 && output.hasPrefix("Error: the reload failed: "), "\(output)")
            #expect(output.hasSuffix("; the old workers keep running\n"))
        }
    }

    @Test func `overlapping reloads each report their own outcome`() throws {
        let folder = try Folder()
        let (file, pidFile) = ("\(folder.path)/env", "\(folder.path)/pid")
        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: file)) }
        try write("LOG_LEVEL=info\n")
        let stack = try Stack(
            workers: 1, environment: ["STATEMENT_TIMEOUT_MS": "20000"],
            options: ["--pid-file", pidFile, "--env-file", file])
        func reload() throws -> Child {
            try Child(
                [Stack.program, "reload", "--pid-file", pidFile, "--connect", "unix:\(stack.folder.path)/status.sock"],
                output: "\(folder.path)/\(UUID())")
        }
        let lock = try Lock(on: stack.database)
        var reader: Socket? = try Socket(path: stack.socketPath)
        reader?.send(Records.request("GET", "/campaigns/1"))
        try waitUntil("it has arrived") { try stack.status()["active requests"] as? Int == 1 }
        let good = try reload()
        try waitUntil("the old worker drains") { try stack.processes().contains { $0.state == "Finishing" } }
        try write("LOG_LEVEL=bogus\n")
        let bad = try reload()
        usleep(300_000)
        lock.release()
        #expect(try readResponse(from: #require(reader)).status == 200)
        reader = nil
        #expect(bad.wait(seconds: 10) == 1 && bad.log.hasPrefix("Error: the reload failed: "), "\(bad.log)")
        #expect(good.wait(seconds: 1) == 0, "\(good.log)")
    }

    @Test func `a reload that is requested during the check of a new program ends with the reload of the new master`()
        throws
    {
        let folder = try Folder()
        let pidFile = "\(folder.path)/pid"
        let stack = try Stack(workers: 1, options: ["--pid-file", pidFile])
        func reload(_ arguments: String...) throws -> Child {
            try Child(
                [
                    Stack.program, "reload", "--pid-file", pidFile, "--timeout", "10", "--connect",
                    "unix:\(stack.folder.path)/status.sock",
                ] + arguments, output: "\(folder.path)/\(UUID())")
        }
        let program = "\(stack.folder.path)/aktify"
        try FileManager.default.removeItem(atPath: program)
        try Data("#!/bin/bash\nsleep 2; exec \(Stack.program) \"$@\"\n".utf8).write(to: URL(filePath: program))
        chmod(program, 0o755)
        let all = try reload("--all")
        try waitUntil("it checks") { try stack.status()["reloads under way"] as? Int == 1 }
        usleep(200_000)
        try FileManager.default.removeItem(atPath: program)
        try FileManager.default.createSymbolicLink(atPath: program, withDestinationPath: Stack.program)
        let second = try reload()
        #expect(all.wait(seconds: 12) == 0, "\(all.log)")
        #expect(second.wait(seconds: 12) == 0, "\(second.log)")
        #expect(try stack.status()["reloads"] as? Int == 1)
    }

    @Test func `reload reports immediately that the master has exited, and respects its timeout`() throws {
        let folder = try Folder()
        let stack = try Stack(
            workers: 1, environment: ["STATEMENT_TIMEOUT_MS": "20000"], options: ["--pid-file", "\(folder.path)/pid"])
        func reload(_ timeout: Int) throws -> Child {
            try Child(
                [
                    Stack.program, "reload", "--pid-file", "\(folder.path)/pid", "--timeout", String(timeout),
                    "--connect", "unix:\(stack.folder.path)/status.sock",
                ], output: "\(folder.path)/\(UUID())")
        }
        let lock = try Lock(on: stack.database)
        var reader: Socket? = try Socket(path: stack.socketPath)
        reader?.send(Records.request("GET", "/campaigns/1"))
        try waitUntil("it has arrived") { try stack.status()["active requests"] as? Int == 1 }
        let impatient = try reload(1)
        #expect(impatient.wait(seconds: 5) == 1 && impatient.log == "Error: the reload has not finished after 1 s\n")
        let patient = try reload(60)
        usleep(200_000)
        stack.worker.signal(SIGTERM)
        lock.release()
        reader = nil
        #expect(patient.wait(seconds: 10) == 1 && patient.log == "Error: the master has exited\n", "\(patient.log)")
    }

    @Test func `the PID file of a running master is not overwritten`() throws {
        let folder = try Folder()
        let pidFile = "\(folder.path)/pid"
        let stack = try Stack(master: ["--workers", "1", "--pid-file", pidFile])
        let second = try runToEnd(
            [Stack.program, "serve", "--listen", "unix:\(folder.path)/second.sock", "--pid-file", pidFile],
            environment: stack.database.environment)
        #expect(second.status == 1)
        #expect(second.output == "Error: \(pidFile) belongs to process \(stack.worker.pid), a running master\n")
        #expect(try String(contentsOfFile: pidFile, encoding: .utf8) == "\(stack.worker.pid)\n")
    }

    @Test func `a master that migrates on start waits for the database`() throws {
        let (database, folder) = (try TestDatabase(), try Folder())
        let elsewhere = database.environment.merging(["POSTGRES_HOST": folder.path, "MIGRATE_ON_START": "1"]) { $1 }
        let master = try Child(
            [Stack.program, "serve", "--workers", "1", "--listen", "unix:\(folder.path)/api.sock"],
            environment: elsewhere, output: "\(folder.path)/log")
        try waitUntil("it waits: \(master.log)") { master.log.contains("waiting for the database") }
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/.s.PGSQL.5432", withDestinationPath: "\(database.socketDirectory)/.s.PGSQL.5432")
        try waitUntil("it is ready: \(master.log)") { master.log.contains("a worker is ready") }
        let client = try Socket(path: "\(folder.path)/api.sock")
        client.send(Records.request("GET", "/campaigns/1"))
        #expect(readResponse(from: client).status == 404)
    }

    @Test func `commands reload and stop a master, and print its status`() throws {
        let folder = try Folder()
        let pidFile = "\(folder.path)/pid"
        let stack = try Stack(master: ["--workers", "2", "--pid-file", pidFile])
        func aktify(_ arguments: String...) throws -> (status: Int32, output: String) {
            try runToEnd([Stack.program] + arguments)
        }
        let socket = "unix:\(stack.socketPath)"
        #expect(try aktify("healthcheck", "--connect", socket).output == "{\"status\":\"ok\"}\n")
        #expect(try aktify("healthcheck", "--connect", socket, "--target", "/readyz").status == 0)
        let missing = try aktify("healthcheck", "--connect", socket, "--target", "/nowhere")
        #expect(missing.status == 1 && missing.output.hasPrefix("Error: /nowhere responded with 404: "))
        let before = try stack.workers()
        #expect(try aktify("reload", "--pid-file", pidFile).status == 0)
        try waitUntil("it is reloaded") { stack.events("the reload is complete").count == 1 }
        #expect(try Set(stack.workers()).isDisjoint(with: before))
        #expect(try aktify("stop", "--pid-file", pidFile).status == 0)
        #expect(stack.worker.wait(seconds: 1) == 0)
        let gone = try aktify("reload", "--pid-file", pidFile)
        #expect(gone.status == 1 && gone.output == "Error: cannot read \(pidFile): is the master running?\n")
        #expect(try aktify("healthcheck", "--connect", socket).status == 1)
    }
}
