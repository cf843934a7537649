import Foundation
import TestSupport

/// nginx, a master and its workers, the proxy and Postgres. Each round starts its own master; the others run during
/// all rounds.
final class Stack: Sendable {
    let program: String
    let folder: Folder
    let cluster: Cluster
    let proxy: Proxy
    let port: Int
    let nginx: Child
    private let nginxConfiguration: String

    var socketPath: String { "\(folder.path)/api.sock" }
    var pidFile: String { "\(folder.path)/pid" }
    var environmentFile: String { "\(folder.path)/environment" }
    /// The path of a symbolic link to the program. Masters and workers are recognized by this path, their argv[0].
    var link: String { "\(folder.path)/aktify" }

    init(program: String) throws {
        self.program = program
        folder = try Folder()
        cluster = try Cluster()
        port = try Socket.freePort()
        proxy = try Proxy(
            folder: "\(folder.path)/proxy", target: "\(cluster.database.socketDirectory)/.s.PGSQL.5432")
        try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/aktify", withDestinationPath: program)
        try run([program, "db", "upgrade"], environment: cluster.database.environment)
        nginxConfiguration = try run(["scripts/nginx-config", "\(folder.path)/nginx", String(port), folder.path])
            .trimmingCharacters(in: .newlines)
        nginx = try Child(
            ["nginx", "-c", nginxConfiguration, "-e", "\(folder.path)/nginx-error.log", "-g", "daemon off;"],
            environment: ["PATH": "/usr/sbin:/usr/bin:/bin"], output: "\(folder.path)/nginx.log")
        try waitUntil("nginx listens: \(nginx.log)") { (try? Socket(port: port)) != nil }
    }

    func write(environment text: String) { try? Data(text.utf8).write(to: URL(filePath: environmentFile)) }

    /// Starts a master in its own process group, as a shell does.
    func startMaster(workers: Int, connections: Int, log: String) throws -> Child {
        write(environment: "LOG_LEVEL=info\n")
        let variables = [
            "POSTGRES_HOST": proxy.folder, "POSTGRES_CONNECTIONS": String(connections), "REQUEST_TIMEOUT_MS": "8000",
        ]
        return try Child(
            [
                "setsid", link, "serve", "--listen", "unix:\(socketPath)", "--status-listen",
                "unix:\(folder.path)/status.sock", "--workers", String(workers), "--pid-file", pidFile, "--env-file",
                environmentFile, "--graceful-timeout", "10",
            ], environment: cluster.database.environment.merging(variables) { $1 }, output: log)
    }

    /// Returns the full status report of the master; `nil` if there is no response.
    func status() -> [String: Any]? {
        guard let socket = try? Socket(path: "\(folder.path)/status.sock") else { return nil }
        socket.setTimeLimit(seconds: 3)
        socket.send(Records.request("GET", "/status?full", keep: false))
        let body = readResponse(from: socket).body
        return (try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: Any]
    }

    /// Returns the process ids of the workers that are serving, according to the status report.
    func serving() -> [pid_t] {
        let processes = status()?["processes"] as? [[String: Any]] ?? []
        return processes.filter { ["Idle", "Running"].contains($0["state"] as? String) }
            .compactMap { ($0["pid"] as? Int).map { pid_t($0) } }
    }

    /// Reloads the configuration of nginx.
    func reloadNginx() { nginx.signal(SIGHUP) }

    /// Kills the remaining processes of a master and its workers.
    func killRemains() { for process in Process.all(startedFrom: link) { kill(process.pid, SIGKILL) } }

    func end() {
        killRemains()
        nginx.signal(SIGTERM)
        _ = nginx.wait(seconds: 5)
    }
}
