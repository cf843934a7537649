import AktifyAPI
import ArgumentParser
import Authentication
import EventLoop
import Glibc
import Logging
import ORM
import SQL
import Web

/// `aktify key`: manages API keys.
struct Key: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Create, list and revoke the API keys that clients authenticate with.",
        subcommands: [Create.self, List.self, Revoke.self])

    func run() throws { throw ValidationError("Missing subcommand: see aktify help key.") }

    /// `aktify key create`: creates a key and prints it.
    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create an API key and print it. It cannot be shown again, since only its hash is stored.")

        @Option(
            help: """
                A unique name, such as the key's holder or purpose, of 1 to 100 characters. The change history shows \
                it; the name of a revoked key cannot be reused.
                """)
        var name: String

        @Option(help: "The role that the key grants: reader, editor or admin.", transform: role(_:))
        var role: Role

        @Option(
            help: ArgumentHelp(
                "The lifetime, from now, in days, hours or minutes: 90d, 12h or 30m. (default: never expires)",
                valueName: "duration"),
            transform: seconds(_:))
        var expires: Int64?

        @Option(
            help: ArgumentHelp("Who creates the key, for the records. (default: your user name)", valueName: "author"))
        var by: String?

        func validate() throws {
            for (option, text) in [("name", name), ("by", by)] as [(String, String?)] {
                guard let text, !isLabel(text) else { continue }
                throw ValidationError(
                    "--\(option) must have 1 to 100 characters, no control characters, no leading or trailing space."
                )
            }
        }

        func run() throws {
            let (name, role, expires, author) = (name, role, expires, by ?? userName())
            // If standard output is closed, the next file opened gets its descriptor: the connection to Postgres would
            // receive the key.
            guard fcntl(STDOUT_FILENO, F_GETFD) >= 0 else {
                throw CommandError("the key cannot be printed: standard output is closed")
            }
            // If its reader is gone, printing the key fails instead of terminating the process.
            signal(SIGPIPE, SIG_IGN)
            let key = try withKeys { keys in
                try await keys.create(name: name, role: role, lifetime: expires, author: author)
            }
            let line = Array((key.text + "\n").utf8)
            guard write(STDOUT_FILENO, line, line.count) == line.count else {
                throw CommandError("the key could not be printed: revoke \(name), and create another key")
            }
        }
    }

    /// `aktify key list`: lists all keys.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List all API keys, including expired and revoked ones.",
            discussion: "For each key: its state, role, creation, expiry and last use (in UTC), and its name.")

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let records = try withKeys { try await $0.all() }
            let now = Timestamp(unixSeconds: Int64(time(nil)))
            guard !json else {
                return printJSON { $0.member("keys", records.map { KeyLine($0, now) }) }
            }
            for record in records { print(KeyLine(record, now).text) }
        }
    }

    /// `aktify key revoke`: revokes a key.
    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revoke an API key. All workers reject it within a second. This cannot be undone.")

        @Argument(help: "The name of the key.")
        var name: String

        func run() throws {
            let name = name
            try withKeys { try await $0.revoke(name: name) }
            print("\(name) is revoked.")
        }
    }
}

/// Runs `body` with the API keys of the configured database.
/// - Throws: `CommandError` when the schema has no table for API keys yet, and whatever `body` throws.
private func withKeys<Value: Sendable>(
    _ body: @escaping @Sendable (APIKeys) async throws -> Value
) throws -> Value {
    let config = try loadSchemaConfig(silently: true)
    do {
        return try Loop.run { try await body(APIKeys(Database(config.database))) }
    } catch let error as DatabaseError where error.state == "42P01" {
        throw CommandError("the database has no API key table yet: run aktify db upgrade")
    }
}

/// Returns the name of the user who runs this process; under sudo, of the user who invoked sudo (`SUDO_USER`).
private func userName() -> String {
    if let user = processEnvironment()["SUDO_USER"], !user.isEmpty { return user }
    // Safe: the entry is valid until the next call, and there are no other threads.
    return getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "user \(getuid())"
}

/// Returns whether a name can be printed in a line of a list: it has 1 to 100 characters, no surrounding whitespace,
/// and no characters that break the line, change the text's direction or are invisible.
private func isLabel(_ text: String) -> Bool {
    (1...100).contains(text.unicodeScalars.count) && text == text.trimmed
        && text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: false
            default: true
            }
        }
}

@Sendable private func role(_ text: String) throws -> Role {
    guard let role = Role(rawValue: text.lowercased()) else {
        throw ValidationError("--role must be reader, editor or admin, not \(text).")
    }
    return role
}

/// Parses a duration such as `90d`, `12h` or `30m` into seconds.
@Sendable private func seconds(_ text: String) throws -> Int64 {
    let units: [Character: Int64] = ["m": 60, "h": 3600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()), (1...100_000).contains(count)
    else {
        throw ValidationError("--expires must be a number of days, hours or minutes: 90d, 12h or 30m; not \(text).")
    }
    return count * unit
}

/// An API key in the output of `aktify key list`.
private struct KeyLine: JSONWritable {
    let record: APIKeyRecord
    let state: String

    init(_ record: APIKeyRecord, _ now: Timestamp) {
        self.record = record
        let isExpired = record.expiresOn.map { $0 <= now } ?? false
        state = record.revokedOn != nil ? "revoked" : isExpired ? "expired" : "valid"
    }

    /// The API key as one line of columns. The name is the last column, since it may contain spaces.
    var text: String {
        [
            state, record.role.rawValue, "created \(record.createdOn.minute) by \(record.createdBy)",
            "expires \(record.expiresOn?.minute ?? "never")", "used \(record.lastUsedOn?.minute ?? "never")",
            record.name,
        ].joined(separator: "  ")
    }

    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("created_by", record.createdBy)
        json.member("created_on", record.createdOn)
        json.member("expires_on", record.expiresOn)
        json.member("last_used_on", record.lastUsedOn)
        json.member("name", record.name)
        json.member("revoked_on", record.revokedOn)
        json.member("role", record.role.rawValue)
        json.member("state", state)
        json.endObject()
    }
}

extension Timestamp {
    /// The timestamp in UTC, to the minute, such as `2026-11-29 17:04`.
    fileprivate var minute: String {
        var (seconds, parts) = (time_t(unixSeconds), tm())
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 24)
        let count = strftime(&text, text.count, "%Y-%m-%d %H:%M", &parts)
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
