import Foundation
import TestSupport
import Testing

/// Postgres over TCP, with a certificate for `localhost` from a private CA.
@Suite struct PostgresTLSTests {
    private let folder: Folder
    private let port: Int
    private let socketDirectory: String

    init() throws {
        (folder, port) = (try Folder(), try Socket.freePort())
        let cluster = "\(folder.path)/cluster"
        socketDirectory = try run([
            "scripts/cluster", "start", cluster, "--watch", String(getpid()), "--set", "listen_addresses=127.0.0.1",
            "--set", "port=\(port)",
        ]).trimmingCharacters(in: .newlines)
        for name in ["ca", "other"] { try certificate(name, "/CN=\(name)") }
        try certificate(
            "server", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-CA", "\(folder.path)/ca.crt",
            "-CAkey", "\(folder.path)/ca.key")
        for name in ["server.crt", "server.key"] {
            // Postgres requires a key file that only its own user may read.
            try run(["cp", "\(folder.path)/\(name)", "\(cluster)/data"])
            try run(["chown", "--reference", "\(cluster)/data/PG_VERSION", "\(cluster)/data/\(name)"])
        }
        try setTLS(true)
    }

    private func certificate(_ name: String, _ subject: String, _ options: String...) throws {
        try run(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-subj", subject, "-keyout", "\(folder.path)/\(name).key", "-out", "\(folder.path)/\(name).crt",
            ] + options)
    }

    private func setTLS(_ isOn: Bool) throws {
        try sql("ALTER SYSTEM SET ssl = \(isOn)")
        try sql("SELECT pg_reload_conf()")
        try waitUntil("it has been reloaded") { try sql("SHOW ssl") == (isOn ? "on" : "off") }
    }

    @discardableResult
    private func sql(_ text: String) throws -> String {
        try run(["psql", "-XqAt", "-h", socketDirectory, "-p", String(port), "-U", "postgres", "-c", text])
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func url(_ host: String = "localhost", ca: String = "ca") -> [String: String] {
        let query = "sslmode=verify-full&sslrootcert=\(folder.path)/\(ca).crt"
        return ["DATABASE_URL": "postgresql://postgres@\(host):\(port)/postgres?\(query)"]
    }

    private var variables: [String: String] {
        [
            "DATABASE_URL": "", "POSTGRES_HOST": "localhost", "POSTGRES_PORT": String(port), "POSTGRES_DB": "postgres",
            "POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": "", "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": "\(folder.path)/ca.crt",
        ]
    }

    /// Starts a master with a worker, and waits until the worker is ready.
    private func serve(_ environment: [String: String], _ options: [String] = []) throws -> Child {
        let listen = "unix:\(folder.path)/api.sock"
        let command = [Stack.program, "serve", "--workers", "1", "--listen", listen] + options
        let master = try Child(command, environment: environment, output: "\(folder.path)/log-\(UUID())")
        try waitUntil("a worker is ready: \(master.log)") { master.log.contains("a worker is ready") }
        return master
    }

    private func get(_ target: String) throws -> Answer {
        let socket = try Socket(path: "\(folder.path)/api.sock")
        socket.send(Records.request("GET", target))
        return readResponse(from: socket)
    }

    private func stop(_ master: Child) {
        master.signal(SIGTERM)
        #expect(master.wait(seconds: 20) == 0)
    }

    @Test func `with the CA and the host name of the server's certificate, all sessions are encrypted`() throws {
        for environment in [url(), variables] {
            try run([Stack.program, "db", "upgrade"], environment: environment)
            let master = try serve(environment)
            #expect(try get("/readyz").status == 200 && get("/campaigns/").status == 200)
            let sessions = "pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE 'aktify%'"
            #expect(try sql("SELECT count(*) > 0 AND bool_and(ssl) FROM \(sessions)") == "t")
            stop(master)
        }
    }

    @Test func `another CA, another host name and a server without TLS are refused, and the reason is logged`() throws {
        let cases = [
            (url(ca: "other"), "certificate verify failed"),
            (url("127.0.0.1"), #"does not match host name \"127.0.0.1\""#),
            (variables.merging(["PGSSLROOTCERT": "\(folder.path)/other.crt"]) { $1 }, "certificate verify failed"),
            (url(ca: "none"), "none.crt\\\" does not exist"),
        ]
        for (environment, reason) in cases { try expectRefusal(environment, reason) }
        try setTLS(false)
        for environment in [url(), variables] {
            try expectRefusal(environment, "server does not support SSL, but SSL was required")
        }
    }

    private func expectRefusal(_ environment: [String: String], _ reason: String) throws {
        let (status, output) = try runToEnd([Stack.program, "db", "current"], environment: environment)
        #expect(status == 1 && output.contains(reason.replacing("\\", with: "")), "\(output)")
        let master = try serve(environment)
        let refusal = master.log.split(separator: "\n").first { $0.contains("cannot check the schema") }
        #expect(refusal?.contains(reason) == true && refusal?.contains(#""level":"error""#) == true, "\(master.log)")
        #expect(try get("/healthz").status == 200)
        for target in ["/readyz", "/campaigns/"] {
            let answer = try get(target)
            #expect(answer.status == 503 && answer.headers["retry-after"] != nil && !answer.body.contains("SSL"))
        }
        stop(master)
    }

    @Test func `libpq's variables in the environment file also apply to the master`() throws {
        try setTLS(false)
        let file = "\(folder.path)/aktify.env"
        try variables.map { "\($0)=\($1)\n" }.joined().write(toFile: file, atomically: true, encoding: .utf8)
        let master = try serve([:], ["--env-file", file])
        #expect(master.log.contains("cannot check the schema: "))
        #expect(master.log.contains("server does not support SSL, but SSL was required"))
        stop(master)
    }
}
