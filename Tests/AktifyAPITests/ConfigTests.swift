import Testing
import Web

@testable import AktifyAPI

extension Config {
    /// A configuration for tests: nothing but defaults.
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
        #expect(config.database.connections == 2)
        guard case .parts("localhost", 5432, "postgres", "", "aktify") = config.database.server else {
            Issue.record("unexpected: \(config.database.server)")
            return
        }
    }

    @Test func `DATABASE_URL wins over the parts, and an empty variable is absent`() throws {
        guard
            case .url("postgresql:///x") = try config(["DATABASE_URL": "postgresql:///x", "POSTGRES_HOST": "y"])
                .database.server
        else {
            Issue.record("the URL did not win")
            return
        }
        guard case .parts("y", _, _, _, _) = try config(["DATABASE_URL": "", "POSTGRES_HOST": "y"]).database.server
        else {
            Issue.record("an empty URL won")
            return
        }
    }

    @Test func `a secret may stand in a file`() throws {
        let config = try config(["POSTGRES_PASSWORD_FILE": "/run/p"], files: ["/run/p": "secret\n"])
        guard case .parts(_, _, _, "secret", _) = config.database.server else {
            Issue.record("the file was not read")
            return
        }
    }

    @Test func `a malformed variable is refused in one line that names it`() {
        #expect(problem(["POSTGRES_PORT": "x"]) == "POSTGRES_PORT: expected a whole number from 1 to 65535, not \"x\"")
        #expect(problem(["POSTGRES_PORT": "70000"])?.hasPrefix("POSTGRES_PORT:") == true)
        #expect(problem(["MAX_BODY_BYTES": "-1"])?.hasPrefix("MAX_BODY_BYTES:") == true)
        #expect(problem(["LOG_LEVEL": "loud"])?.hasPrefix("LOG_LEVEL: expected one of trace,") == true)
        #expect(problem(["CORS_ALLOW_ORIGINS": "example.org"])?.hasPrefix("CORS_ALLOW_ORIGINS:") == true)
        #expect(problem(["POSTGRES_PASSWORD_FILE": "/nowhere"]) == "POSTGRES_PASSWORD_FILE: cannot read /nowhere")
        #expect(
            problem(["POSTGRES_PASSWORD": "a", "POSTGRES_PASSWORD_FILE": "b"])
                == "POSTGRES_PASSWORD: is set, and POSTGRES_PASSWORD_FILE too: unset one of them")
    }

    @Test func `origins are a list with commas`() throws {
        #expect(
            try config(["CORS_ALLOW_ORIGINS": "http://a, https://b:1"]).cors == .origins(["http://a", "https://b:1"]))
    }
}
