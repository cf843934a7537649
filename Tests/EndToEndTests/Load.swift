import Foundation
import TestSupport
import Testing

/// Continuous load through nginx, on kept-alive connections, for at most 90 seconds: GETs and, by default, POSTs.
final class Load {
    private let gets: Child
    private let posts: Child?
    private let folder: Folder
    private let stack: Stack

    /// Environment variables with which a worker fails no request because the database is slow. By default, a
    /// statement fails after two seconds, and a POST after waiting one second for a connection.
    static let environment = ["POSTGRES_CONNECTIONS": "9", "STATEMENT_TIMEOUT_MS": "15000"]

    /// Starts the load on a stack that contains a campaign with id 1. A response that takes 20 seconds counts as lost.
    /// - Parameters:
    ///   - posting: whether to send POSTs.
    ///   - connections: the number of connections for GETs, and as many for POSTs.
    init(on stack: Stack, posting: Bool = true, connections: Int = 8) throws {
        self.stack = stack
        folder = try Folder()
        // Responses other than 2xx are logged.
        let tells = "response = function(status, headers, body) if status > 299 then print(status, body) end end\n"
        let post = #"wrk.method="POST" wrk.body='{"name":"load"}' wrk.headers["Content-Type"]="application/json""#
        let scripts = ["get": tells, "post": tells + post]
        for (name, text) in scripts { try Data(text.utf8).write(to: URL(filePath: "\(folder.path)/\(name).lua")) }
        let url = "http://127.0.0.1:\(stack.port)/campaigns/"
        gets = try Child(
            ["wrk", "-t1", "-c\(connections)", "-d90s", "--timeout", "20s", "-s", "\(folder.path)/get.lua", url + "1"],
            output: "\(folder.path)/get")
        posts =
            posting
            ? try Child(
                ["wrk", "-t1", "-c\(connections)", "-d90s", "--timeout", "20s", "-s", "\(folder.path)/post.lua", url],
                output: "\(folder.path)/post")
            : nil
    }

    /// Stops the load, and checks that every response was 2xx.
    func expectNothingLost(location: SourceLocation = #_sourceLocation) {
        let all = [gets, posts].compactMap { $0 }
        for load in all { load.signal(SIGINT) }
        for load in all {
            #expect(load.wait(seconds: 10) == 0, sourceLocation: location)
            let isWhole = !load.log.contains("Non-2xx") && !load.log.contains("Socket errors")
            #expect(
                load.log.contains("requests in") && isWhole, "\(load.log)\(isWhole ? "" : stack.troubles())",
                sourceLocation: location)
        }
    }
}
