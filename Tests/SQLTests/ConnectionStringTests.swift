import Testing

@testable import Postgres

@Suite struct ConnectionStringTests {
    private func redacted(_ message: String, _ server: PostgresConfiguration.Server) -> String {
        message.redacted(PostgresConfiguration(server: server).candidates[0])
    }

    @Test func `passwords are redacted in libpq's messages`() {
        let message = "could not use s3cret PW on localhost"
        let servers: [PostgresConfiguration.Server] = [
            .parts(host: "localhost", port: 5432, user: "app", password: "s3cret PW", database: "x"),
            .url("postgres://app:s3cret%20PW@localhost/x"), .url("host=localhost password='s3cret PW'"),
        ]
        for server in servers { #expect(redacted(message, server) == "could not use *** on localhost") }
        #expect(redacted("FATAL: no", .url("postgres://app@localhost/x")) == "FATAL: no")
    }

    @Test(arguments: [
        "postgres://app:s3cret@a:5433/x?sslmode=require",
        "host=a port=5433 dbname=x user=app password=s3cret sslmode=require",
    ])
    func `a role without a password does not get the password of the connection string's role`(url: String) throws {
        var configuration = PostgresConfiguration(server: try .init(connectionString: url))
        configuration.login = .init(role: "owner", password: "")
        let values = Dictionary(configuration.candidates[0].map { ($0.keyword, $0.value) }) { $1 }
        #expect(!values.values.contains { $0.contains("s3cret") } && values["user"] == "owner")
        #expect(values["host"] == "a" && values["port"] == "5433" && values["dbname"] == "x")
        #expect(values["sslmode"] == "require")
    }

    @Test func `libpq's message for an invalid connection string is not repeated`() {
        for url in [
            "postgres://app:s3cret@PW@localhost/x", "host=localhost password=s3cret PW", "mysql://app:s3cret@PW/x",
        ] {
            let message = redacted("could not translate host name \"PW@localhost\"", .url(url))
            #expect(message.hasPrefix("the connection string is malformed: "))
            #expect(!message.contains("PW") && !message.contains("s3cret"))
        }
    }

    @Test func `the error of a failed connection does not contain the password`() {
        for url in ["postgres://app:s3cret@PW@localhost/x", "postgres://app:s3cret@localhost:1/x"] {
            let error = #expect(throws: PostgresError.self) {
                _ = try Session.open(PostgresConfiguration(server: .url(url)).candidates[0])
            }
            #expect(error?.kind == .unreachable)
            #expect(error.map { !"\($0)".contains("PW") && !"\($0)".contains("s3cret") } == true)
        }
    }
}
