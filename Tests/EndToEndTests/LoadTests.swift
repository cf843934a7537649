import Foundation
import TestSupport
import Testing

/// No request is lost, whatever happens to workers under load. Serialized, so that each test has the machine to itself.
@Suite(.serialized) struct LoadTests {
    @Test func `20 restarts under load lose no request`() throws {
        let stack = try Stack(loops: 1, listener: true, environment: Load.environment)
        try stack.database.sql("INSERT INTO campaign (name) VALUES ('first')")
        let load = try Load(on: stack)
        var second = try stack.anotherWorker()
        for _ in 0..<20 {
            let next = try stack.anotherWorker()
            second.signal(SIGTERM)
            #expect(second.wait(seconds: 10) == 0)
            second = next
        }
        load.expectNothingLost()
        second.signal(SIGTERM)
    }

    @Test func `20 reloads under load lose no request`() throws {
        let stack = try Stack(workers: 2, environment: Load.environment)
        let load = try Load(on: stack)
        let before = try stack.workers()
        try stack.reload(times: 20)
        load.expectNothingLost()
        let after = try stack.workers()
        #expect(after.count == 2 && Set(after).isDisjoint(with: before))
    }

    @Test func `20 upgrades of the program under the same process id lose no request`() throws {
        let stack = try Stack(workers: 2, environment: Load.environment)
        let load = try Load(on: stack)
        try stack.reload(by: SIGUSR2, times: 20)
        load.expectNothingLost()
        #expect(try stack.workers().count == 2 && !stack.worker.hasEnded)
        #expect(stack.events("the master re-executes itself").count == 20)
    }

    @Test func `a program that does not start is rejected, and the next good one is accepted`() throws {
        let stack = try Stack(workers: 2, environment: Load.environment)
        let load = try Load(on: stack)
        let program = "\(stack.folder.path)/aktify"
        try FileManager.default.moveItem(atPath: program, toPath: program + ".good")
        try Data("#!/bin/sh\nexit 3\n".utf8).write(to: URL(filePath: program))
        chmod(program, 0o755)
        let before = try stack.workers()
        stack.worker.signal(SIGHUP)
        try waitUntil("the reload fails") { stack.worker.log.contains("the reload failed") }
        #expect(try stack.workers() == before)
        try FileManager.default.removeItem(atPath: program)
        try FileManager.default.moveItem(atPath: program + ".good", toPath: program)
        try stack.reload()
        load.expectNothingLost()
        #expect(try Set(stack.workers()).isDisjoint(with: before))
    }

    @Test(arguments: [(connections: 8, interval: 500), (connections: 64, interval: 100)])
    func `repeatedly killed workers fail no GET`(connections: Int, interval: Int) throws {
        let stack = try Stack(workers: 3, environment: Load.environment)
        let load = try Load(on: stack, posting: false, connections: connections)
        for _ in 0..<(20_000 / interval) {
            usleep(UInt32(interval * 1000))
            if let victim = try stack.workers().randomElement() { kill(victim, SIGKILL) }
        }
        load.expectNothingLost()
        #expect(stack.events("a worker died").count >= 35)
        try waitUntil("all are back") { try stack.workers().count == 3 }
    }

    @Test func `a worker that crashes is replaced within half a second, and logs a backtrace`() throws {
        let stack = try Stack(workers: 2, environment: Load.environment)
        let load = try Load(on: stack, posting: false)
        let victim = try #require(stack.processes().first).pid
        kill(victim, SIGSEGV)
        try waitUntil("the crash and the start of a replacement are logged") {
            !stack.events("a worker died").isEmpty && stack.events("a worker is ready").count == 3
        }
        load.expectNothingLost()
        #expect(try stack.milliseconds(from: "a worker crashed", to: "a worker is ready") < 500)
        let end = try #require(stack.events("a worker died").first)
        let backtrace = try #require(end["backtrace"] as? String)
        #expect(backtrace.contains("Program crashed") && backtrace.contains("WorkerCommand.run() + "))
        #expect(end["worker"] as? Int == Int(victim) && (end["status"] as? String)?.hasPrefix("signal 11") == true)
        #expect(try stack.status()["worker crashes"] as? Int == 1)
    }

    @Test func `a worker whose event loop is blocked is replaced and logs a backtrace, and the others lose no request`()
        throws
    {
        let stack = try Stack(workers: 2, environment: ["STUCK_AFTER_MS": "2000"])
        let load = try Load(on: stack, posting: false)
        let victim = try #require(stack.processes().first).pid
        kill(victim, SIGSTOP)
        try waitUntil("it is replaced") { !stack.events("a worker died").isEmpty }
        let stuck = try #require(stack.events("a worker is stuck, and is replaced").first)
        #expect(stuck["worker"] as? Int == Int(victim))
        // Requests that nginx had sent to it on kept-alive connections.
        #expect((stuck["doing"] as? String)?.contains("GET /campaigns/1: ") ?? false || stuck["requests"] as? Int == 0)
        let end = try #require(stack.events("a worker died").first)
        #expect((end["backtrace"] as? String)?.contains("Loop.run") == true)
        load.expectNothingLost()
        let status = try stack.status()
        #expect(status["stuck workers"] as? Int == 1 && status["worker crashes"] as? Int == 0)
        #expect(status["total processes"] as? Int == 2)
    }

    @Test(arguments: [["--max-requests", "2000"], ["--max-rss", "1"]])
    func `workers are recycled one at a time, and no request is lost`(options: [String]) throws {
        let stack = try Stack(workers: 3, environment: Load.environment, options: options)
        let load = try Load(on: stack)
        try waitUntil("six are recycled") { try stack.status()["recycled"] as? Int ?? 0 >= 6 }
        load.expectNothingLost()
        // Each one has exited before the next one is recycled.
        let messages = ["recycling a worker", "a worker has ended"]
        let events = stack.worker.log.split(separator: "\n").compactMap { line in
            messages.first { line.contains("\"message\":\"\($0)\"") }
        }
        #expect(events.count >= 12)
        for (place, message) in events.enumerated() { #expect(message == messages[place % 2]) }
    }
}
