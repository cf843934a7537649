import Foundation
import TestSupport
import Testing

/// Processes finish their requests, whenever and however often they are signalled to stop.
@Suite(.serialized) struct StoppingTests {
    /// Connections with an incomplete request.
    private static func unfinishedRequests(_ count: Int, _ path: String) throws -> [Socket] {
        try (0..<count).map { _ in
            let socket = try Socket(path: path)
            socket.send(Array(Records.request("GET", "/").dropLast(4)))
            return socket
        }
    }

    private static func finish(_ sockets: [Socket]) -> [Int] {
        sockets.map {
            $0.send(Array(Records.request("GET", "/").suffix(4)))
            return readResponse(from: $0).status
        }
    }

    @Test func `TERM during a reload finishes the requests, and the master exits`() throws {
        let stack = try Stack(workers: 1, environment: ["STATEMENT_TIMEOUT_MS": "20000"])
        let lock = try Lock(on: stack.database)
        var readers = try (0..<4).map { _ in try Socket(path: stack.socketPath) }
        for reader in readers { reader.send(Records.request("GET", "/campaigns/1")) }
        try waitUntil("all have arrived") { try stack.status()["active requests"] as? Int == 4 }
        stack.worker.signal(SIGHUP)
        try waitUntil("the old worker finishes") { try stack.processes().contains { $0.state == "Finishing" } }
        stack.worker.signal(SIGTERM)
        try waitUntil("it stops") { !stack.events("the master is stopping").isEmpty }
        usleep(300_000)
        lock.release()
        #expect(readers.map { readResponse(from: $0).status } == Array(repeating: 200, count: readers.count))
        readers = []
        #expect(stack.worker.wait(seconds: 10) == 0)
    }

    @Test(arguments: [SIGTERM, SIGINT]) func `a signal to the whole process group finishes the requests`(signal: Int32)
        throws
    {
        let (database, folder) = (try TestDatabase(), try Folder())
        try run([Stack.program, "db", "upgrade"], environment: database.environment)
        let path = "\(folder.path)/api.sock"
        let master = try Child(
            ["setsid", Stack.program, "serve", "--workers", "2", "--listen", "unix:\(path)"],
            environment: database.environment, output: "\(folder.path)/log")
        try waitUntil("both are ready: \(master.log)") {
            master.log.components(separatedBy: "a worker is ready").count == 3
        }
        do {
            let sockets = try Self.unfinishedRequests(8, path)
            usleep(300_000)
            kill(-master.pid, signal)
            usleep(300_000)
            #expect(Self.finish(sockets) == Array(repeating: 200, count: 8))
        }
        #expect(master.wait(seconds: 10) == 0)
        #expect(!master.log.contains("a worker died"))
    }

    @Test func `a worker that is signalled again finishes its request, and SIGINT exits immediately`() throws {
        let (database, folder) = (try TestDatabase(), try Folder())
        try run([Stack.program, "db", "upgrade"], environment: database.environment)
        func stop(_ signals: [Int32], answers: Bool) throws -> Int32? {
            let path = "\(folder.path)/\(UUID().uuidString.prefix(8)).sock"
            let worker = try Child(
                [Stack.program, "worker", "--loops", "1", "--listen", "unix:\(path)"],
                environment: database.environment, output: "\(path).log")
            try waitUntil("it is ready: \(worker.log)") { worker.log.contains("ready") }
            do {
                let sockets = try Self.unfinishedRequests(1, path)
                usleep(200_000)
                for signal in signals {
                    worker.signal(signal)
                    usleep(100_000)
                }
                if answers { #expect(Self.finish(sockets) == [200]) }
            }
            return worker.wait(seconds: 10)
        }
        #expect(try stop([SIGTERM, SIGTERM, SIGQUIT, SIGHUP], answers: true) == 0)
        #expect(try stop([SIGINT, SIGINT], answers: false) == 128 + SIGINT)
    }

    @Test(arguments: ["serve", "worker"]) func `TERM ends a process that waits for an unavailable database`(
        command: String
    ) throws {
        let folder = try Folder()
        let silent = try Socket(listeningOn: "\(folder.path)/.s.PGSQL.5432")
        let child = try Child(
            [Stack.program, command, "--listen", "unix:\(folder.path)/api.sock"],
            environment: ["POSTGRES_HOST": folder.path, "POSTGRES_PORT": "5432", "DATABASE_URL": ""],
            output: "\(folder.path)/log")
        usleep(500_000)
        #expect(!child.hasEnded)
        child.signal(SIGTERM)
        #expect(child.wait(seconds: 2) == 0, "\(child.log)")
        #expect(child.log.contains("terminated before it was ready"))
        withExtendedLifetime(silent) {}
    }

    @Test func `TERM while a master migrates rolls the migration back`() throws {
        let (database, folder) = (try TestDatabase(), try Folder())
        let lock = try Lock(on: database, "CREATE TABLE campaign ()")
        let master = try Child(
            [Stack.program, "serve", "--listen", "unix:\(folder.path)/api.sock"],
            environment: database.environment.merging(["MIGRATE_ON_START": "1"]) { $1 }, output: "\(folder.path)/log")
        try waitUntil("it waits for the table: \(master.log)") {
            try database.sql(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
                == "1"
        }
        master.signal(SIGTERM)
        #expect(master.wait(seconds: 2) == 0, "\(master.log)")
        lock.release()
        #expect(try database.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()") == "1")
    }

    @Test func `a worker that was suspended by SIGSTOP drains, too`() throws {
        let stack = try Stack(workers: 1)
        let worker = try #require(stack.workers().first)
        kill(worker, SIGSTOP)
        stack.worker.signal(SIGTERM)
        #expect(stack.worker.wait(seconds: 5) == 0)
        #expect(stack.events("a worker did not drain within the graceful timeout, and is killed").isEmpty)
    }

    @Test(arguments: [
        "exec sleep 60", "cd \"$0\" && echo 'sleep 60; :' >serve && exec -a /usr/bin/ollama bash serve",
    ]) func `stop refuses a process that is not a master`(command: String) throws {
        let folder = try Folder()
        let other = try Child(["bash", "-c", command, folder.path], output: "/dev/null")
        usleep(300_000)
        try Data("\(other.pid)\n".utf8).write(to: URL(filePath: "\(folder.path)/pid"))
        let (status, output) = try runToEnd([Stack.program, "stop", "--pid-file", "\(folder.path)/pid"])
        #expect(status == 1 && output.contains(" is stale: process \(other.pid) is not a master"))
        #expect(!other.hasEnded)
    }
}
