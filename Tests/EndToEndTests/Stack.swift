import Foundation
import TestSupport
import Testing

/// The whole stack: nginx, a worker or a master, and Postgres, on a free port and in a temporary directory. Stopped on
/// deinitialization.
final class Stack {
    let database: TestDatabase
    let port: Int
    let folder: Folder
    var worker: Child
    private let nginx: Child

    /// The path of the program's release build.
    static let program = "\(build)/release/aktify"
    #if JWT
        private static let build = "\(checkout)/.build-jwt"
    #else
        private static let build = "\(checkout)/.build"
    #endif

    var socketPath: String { "\(folder.path)/api.sock" }

    /// Starts the stack, and waits until it responds.
    /// - Parameters:
    ///   - loops: the number of event loops of the worker.
    ///   - database: an existing database; otherwise one is created.
    ///   - master: additional arguments of `aktify serve`; if given, a master is started instead of a worker. It is
    ///     started from a symbolic link `aktify` in `folder`.
    ///   - edits: replacements in nginx/api.conf, such as an operator makes.
    ///   - listener: whether the worker inherits its listening socket as its standard input.
    ///   - limit: the worker's limit of open file descriptors.
    init(
        loops: Int = 2, listener: Bool = false, environment: [String: String] = [:], limit: Int? = nil,
        isMigrated: Bool = true, database: TestDatabase? = nil, master: [String]? = nil, edits: [String: String] = [:]
    ) throws {
        folder = try Folder()
        let program = master == nil ? Stack.program : "\(folder.path)/aktify"
        if master != nil {
            try FileManager.default.createSymbolicLink(atPath: program, withDestinationPath: Stack.program)
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder.path)/swift-backtrace-static",
                withDestinationPath: "\(Stack.build)/release/swift-backtrace-static")
        }
        self.database = try database ?? TestDatabase()
        port = try Socket.freePort()
        if isMigrated { try run([Stack.program, "db", "upgrade"], environment: self.database.environment) }
        let socket = "\(folder.path)/api.sock"
        self.listener = listener ? try Socket(listeningOn: socket) : nil
        let environment = self.database.environment.merging(environment) { $1 }
        self.environment = environment
        worker =
            if let master {
                try Child(
                    [program] + [
                        "serve", "--listen", "unix:\(socket)", "--status-listen", "unix:\(folder.path)/status.sock",
                    ]
                        + master, environment: environment,
                    output: "\(folder.path)/master.log")
            } else {
                try Stack.worker(self.listener, socket, loops, environment, folder, limit)
            }
        let config = try run(
            ["scripts/nginx-config", "\(folder.path)/nginx", String(port), folder.path], environment: environment
        )
        .trimmingCharacters(in: .newlines)
        let api = "\(folder.path)/nginx/api.conf"
        var text = try String(contentsOfFile: api, encoding: .utf8)
        for (old, new) in edits { text = text.replacing(old, with: new) }
        try text.write(toFile: api, atomically: true, encoding: .utf8)
        let arguments = ["nginx", "-c", config, "-e", "\(folder.path)/nginx-error.log", "-g", "daemon off;"]
        nginx = try Child(
            arguments, environment: ["PATH": "/usr/sbin:/usr/bin:/bin"], output: "\(folder.path)/nginx.log")
        try waitUntil("the API responds: \(worker.log)\(nginx.log)") {
            (try? get("/"))?.status == (environment["TLS_DIR"] == nil ? 200 : 308)
        }
    }

    deinit {
        nginx.signal(SIGTERM)
        worker.signal(SIGKILL)
        _ = nginx.wait(seconds: 5)
    }

    private let listener: Socket?
    private let environment: [String: String]

    private static func worker(
        _ listener: Socket?, _ socket: String, _ loops: Int, _ environment: [String: String], _ folder: Folder,
        _ limit: Int? = nil
    ) throws -> Child {
        let serve =
            [program, "worker", "--loops", String(loops)] + (listener == nil ? ["--listen", "unix:\(socket)"] : [])
        let limited = limit.map { ["bash", "-c", "ulimit -n \($0) && exec \"$@\"", "bash"] } ?? []
        return try Child(
            limited + serve, environment: environment, input: listener?.descriptor,
            output: "\(folder.path)/worker-\(UUID()).log")
    }

    /// Starts another worker on the same listening socket, and waits until it is ready.
    func anotherWorker() throws -> Child {
        let child = try Stack.worker(listener, socketPath, 1, environment, folder)
        try waitUntil("the worker is ready: \(child.log)") { child.log.contains("ready") }
        return child
    }

    /// Stops the worker, and listens on its socket instead.
    func replaceWorker() throws -> Socket {
        worker.signal(SIGKILL)
        _ = worker.wait(seconds: 5)
        try FileManager.default.removeItem(atPath: socketPath)
        return try Socket(listeningOn: socketPath)
    }

    // MARK: Requests

    /// Sends bytes to nginx, and reads the response until the end of the connection.
    func send(_ bytes: [UInt8]) throws -> Answer {
        let socket = try Socket(port: port)
        socket.send(bytes)
        return Answer(socket.receiveAll())
    }

    func request(_ method: String, _ target: String, headers: [String] = [], body: String? = nil) throws -> Answer {
        var lines = ["\(method) \(target) HTTP/1.1", "Host: localhost:\(port)", "Connection: close"] + headers
        if let body { lines += ["Content-Length: \(body.utf8.count)"] }
        return try send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")).utf8))
    }

    func get(_ target: String, headers: [String] = []) throws -> Answer { try request("GET", target, headers: headers) }

    func post(_ body: String, type: String = "application/json") throws -> Answer {
        try request("POST", "/campaigns/", headers: ["Content-Type: \(type)"], body: body)
    }

    /// Sends records to the worker's own socket, and reads the response.
    func fastCGI(_ records: [UInt8]) throws -> Answer {
        let socket = try Socket(path: socketPath)
        socket.send(records)
        return readResponse(from: socket)
    }

    /// The first and last log lines of nginx and the workers about failed requests.
    func troubles() -> String {
        sleep(2)  // nginx buffers its access log.
        let questions = [
            (#""status":[345]"#, "\(folder.path)/nginx/access.log"), ("", "\(folder.path)/nginx/nginx-error.log"),
            (#"error|warning"#, worker.output),
        ]
        return questions.map { pattern, file in
            let lines = ((try? runToEnd(["grep", "-E", pattern, file]).output) ?? "").split(separator: "\n")
            return "\(file): \(lines.count) lines\n"
                + (lines.prefix(8) + lines.dropFirst(8).suffix(4)).map { $0 + "\n" }.joined()
        }.joined()
    }

    var campaigns: Int { get throws { Int(try database.sql("SELECT count(*) FROM campaign")) ?? -1 } }
}

/// Runs `body`, and measures its duration in seconds.
func timed<Value>(_ body: () throws -> Value) rethrows -> (value: Value, seconds: Double) {
    let start = Date()
    let value = try body()
    return (value, Date().timeIntervalSince(start))
}
