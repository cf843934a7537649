import Testing
import Web

@testable import AktifyAPI

extension Config {
    /// A configuration for tests, with all defaults.
    static func testing() throws -> Config { try Config(environment: [:], readFile: { _ in nil }) }
}

@Suite struct ConfigTests {
    private func config(_ environment: [String: String], files: [String: String] = [:]) throws -> Config {
        try Config(environment: environment, readFile: { files[$0] })
    }

    private func problem(_ environment: [String: String], files: [String: String] = [:]) -> String? {
        do { _ = try config(environment, files: files) } catch { return "\(error)" }
        return nil
    }

    @Test func `an empty environment gives the defaults`() throws {
        let config = try Config.testing()
        #expect(config.cors == .anyOrigin)
        #expect(config.maxBodyBytes == 1_048_576)
        #expect(config.database.connections == 8)
        guard case .parts("localhost", 5432, "postgres", "", "aktify") = config.database.server else {
            Issue.record("unexpected: \(config.database.server)")
            return
        }
    }

    @Test(arguments: [(1, 8), (6, 8), (7, 6), (8, 6), (16, 3), (24, 2), (512, 2)])
    func `workers share 48 connections, with 2 to 8 for each`(workers: Int, connections: Int) {
        #expect(Config.connections(workers: workers) == connections)
    }

    @Test func `DATABASE_URL overrides the other variables, and an empty variable counts as unset`() throws {
        guard
            case .url("postgresql:///x") = try config(["DATABASE_URL": "postgresql:///x", "POSTGRES_HOST": "y"])
                .database.server
        else {
            Issue.record("the URL was ignored")
            return
        }
        guard case .parts("y", _, _, _, _) = try config(["DATABASE_URL": "", "POSTGRES_HOST": "y"]).database.server
        else {
            Issue.record("an empty URL was used")
            return
        }
    }

    @Test func `the owner of the schema is the serving role, unless POSTGRES_OWNER is set`() throws {
        let alone = try config(["POSTGRES_USER": "app"])
        #expect(alone.owner == nil && alone.ownersDatabase.role == "app")
        for login in [["POSTGRES_USER": "app"], ["DATABASE_URL": "postgresql://app:a@db/x"]] {
            let both = try config(
                login.merging(["POSTGRES_OWNER": "own", "POSTGRES_OWNER_PASSWORD_FILE": "/run/p"]) { $1 },
                files: ["/run/p": "secret\n"])
            #expect(both.database.role == "app" && both.ownersDatabase.role == "own")
            #expect(both.owner?.password == "secret")
        }
        #expect(try config(["DATABASE_URL": "postgresql://db/x"]).database.role == nil)
        #expect(
            problem(["POSTGRES_OWNER_PASSWORD": "x"]) == "POSTGRES_OWNER: is not set, but POSTGRES_OWNER_PASSWORD is")
        #expect(
            Config.withoutOwner(["POSTGRES_OWNER": "", "POSTGRES_OWNER_PASSWORD_FILE": "", "POSTGRES_USER": ""]).keys
                .sorted()
                == ["POSTGRES_USER"])
    }

    @Test func `a secret may be read from a file`() throws {
        let config = try config(["POSTGRES_PASSWORD_FILE": "/run/p"], files: ["/run/p": "secret\n"])
        guard case .parts(_, _, _, "secret", _) = config.database.server else {
            Issue.record("the file was not read")
            return
        }
    }

    @Test(arguments: [
        "postgres://app:s3cret@PW@localhost/x", "postgres://app:s3cret/PW@localhost/x",
        "postgres://app:s3cret#PW@localhost/x",
        "postgres://app:s3cret%PW@localhost/x",
        "postgres://app:s3cret?PW@localhost/x",
        "postgres://app:s3cret%4@localhost/x", "postgres://app:s3cret PW@localhost/x",
        "postgres://app:s3cret[PW@localhost/x",
        "postgres://app:s3cret%00PW@localhost/x", "postgres://app:s3cret/x", "postgres://app:s3cret?PW=1/x",
        "postgres://localhost/x?user=app&password=s3cret@PW", "postgres://localhost/x?user=app&password=s3cret&PW",
        "postgres://localhost/x?user=app&password=s3cret#PW", "postgres://localhost/x?PW=s3cret",
        "mysql://app:s3cret@PW/x?y=z",
        "postgres:/app:s3cret@PW/x", "app:s3cret@PW", "host=localhost password=s3cret PW",
        "host=localhost password='s3cret'PW'",
        "host=localhost password=s3cret PW=x", "host=localhost password='s3cret PW", "localhost s3cret=PW",
        "port=s3cret host=PW",
    ]) func `the error for a malformed DATABASE_URL reveals no part of it`(url: String) {
        for environment in [["DATABASE_URL": url], ["DATABASE_URL_FILE": "/run/u"]] {
            let message = problem(environment, files: ["/run/u": url + "\n"]) ?? "it was accepted"
            #expect(message.hasPrefix("DATABASE_URL: ") && !message.contains("\n"))
            #expect(!message.contains("s3cret") && !message.contains("PW") && !message.contains("app"))
        }
    }

    @Test func `the error for an unencoded password explains percent-encoding`() {
        #expect(
            problem(["DATABASE_URL": "postgres://app:s3cret@PW@localhost/x"])
                == "DATABASE_URL: user name and password must be percent-encoded: write @ as %40, / as %2F, # as %23, "
                + "? as %3F, % as %25")
    }

    @Test(arguments: [
        "postgresql://", "postgres://localhost", "postgresql:///x?host=/run/postgresql&port=5433",
        "postgres://app@localhost/x",
        "postgres://app:s3cret:PW@localhost/x",
        "postgres://app:s3cret%40PW%2F%3A%23%25@localhost:5432/x?sslmode=require&connect_timeout=10",
        "postgres://app:~!$&'()*+,;=-._@[::1]:5432,other:5433,third/x?target_session_attrs=any",
        "postgres://%2Frun%2Fpostgresql/x", "host=localhost port=5432 user=app password='two words' dbname=x",
        "host = localhost password=a\\ b", "password='a://b@c' host=localhost",
    ]) func `a well-formed DATABASE_URL is kept unchanged`(url: String) throws {
        guard case .url(url) = try config(["DATABASE_URL": url]).database.server else {
            Issue.record("it was changed")
            return
        }
    }

    @Test func `a secret in place of the path of its file is not repeated in the error`() {
        for value in ["s3cret", "postgres://app:s3cret@localhost/x", "//app:s3cret@localhost"] {
            let message = problem(["DATABASE_URL_FILE": value]) ?? "it was accepted"
            #expect(message.hasPrefix("DATABASE_URL_FILE: cannot read it: ") && !message.contains("s3cret"))
        }
    }

    @Test(arguments: [
        #"http://a"b"#, "http://a;b", "http://a/", "http://a/b", "://a", "http://", "http://a b", "http://$a",
    ])
    func `an invalid origin is rejected`(origin: String) {
        #expect(
            problem(["CORS_ALLOW_ORIGINS": "https://a," + origin])?.hasPrefix("CORS_ALLOW_ORIGINS: expected") == true)
    }

    @Test func `an invalid variable is rejected in one line with its name`() {
        #expect(problem(["POSTGRES_PORT": "x"]) == "POSTGRES_PORT: expected a whole number from 1 to 65535, not \"x\"")
        #expect(problem(["POSTGRES_PORT": "70000"])?.hasPrefix("POSTGRES_PORT:") == true)
        #expect(problem(["MAX_BODY_BYTES": "-1"])?.hasPrefix("MAX_BODY_BYTES:") == true)
        #expect(problem(["LOG_LEVEL": "loud"])?.hasPrefix("LOG_LEVEL: expected one of trace,") == true)
        #expect(problem(["CORS_ALLOW_ORIGINS": "example.org"])?.hasPrefix("CORS_ALLOW_ORIGINS:") == true)
        #expect(problem(["POSTGRES_PASSWORD_FILE": "/nowhere"]) == "POSTGRES_PASSWORD_FILE: cannot read /nowhere")
        #expect(
            problem(["POSTGRES_PASSWORD": "a", "POSTGRES_PASSWORD_FILE": "b"])
                == "POSTGRES_PASSWORD: is set, and so is POSTGRES_PASSWORD_FILE: unset one of them")
    }

    @Test func `origins are separated by commas`() throws {
        #expect(
            try config(["CORS_ALLOW_ORIGINS": "http://a, https://b:1"]).cors == .origins(["http://a", "https://b:1"]))
    }

    @Test func `an environment file may use CRLF, and must not contain NUL`() throws {
        #expect(try EnvironmentFile.variables(of: "A=1\r\nB=\"2\"\r\n", file: "f") == ["A": "1", "B": "2"])
        let error = #expect(throws: ConfigError.self) {
            try EnvironmentFile.variables(of: "A=1\nB=a\0b", file: "f")
        }
        #expect(error?.description == "f:2: contains a NUL character")
    }

    @Test func `in an environment file, white space around a value is removed, unless it is quoted`() throws {
        let text = "A=5432 \nB=\"keys\" \t\nC= a b \nD=' x '\nE=\" \"\nF= \nG=\"x\"\t\r\n"
        #expect(
            try EnvironmentFile.variables(of: text, file: "f")
                == ["A": "5432", "B": "keys", "C": "a b", "D": " x ", "E": " ", "F": "", "G": "x"])
    }

    @Test func `replicas are listed by host names, and exclude hostaddr`() throws {
        #expect(try config([:]).database.replicaHosts == nil)
        let database = try config(["POSTGRES_READ_HOST": "b,c:5433", "POSTGRES_READ_MAX_LAG_MS": "500"]).database
        #expect(database.replicaHosts == "b,c:5433" && database.maximumLag == .milliseconds(500))
        #expect(problem(["POSTGRES_READ_HOST": "b,"])?.hasPrefix("POSTGRES_READ_HOST: expected a host") == true)
        let url = "postgres://app@a/x?hostaddr=10.0.0.1"
        #expect(
            problem(["DATABASE_URL": url, "POSTGRES_READ_HOST": "b"])
                == "DATABASE_URL: has hostaddr, which cannot be combined with POSTGRES_READ_HOST: use host")
    }
}
