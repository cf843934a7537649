import AktifyAPI
import ArgumentParser
import Authentication
import EventLoop
import Glibc
import Logging
import ORM
import SQL
import Web

/// Commands on API keys.
struct Key: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Create, list and revoke the API keys that clients authenticate with.",
        subcommands: [Create.self, List.self, Revoke.self])

    func run() throws { throw ValidationError("Which command? aktify help key lists them.") }

    /// Makes a key, and prints it.
    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a key, and print it: this once, since only its hash is stored.")

        @Option(
            help:
                "What it is for, or who has it: 1 to 100 characters. Records of changes show it; it is never used again."
        )
        var name: String

        @Option(help: "What it may do: reader, editor or admin.", transform: role(_:))
        var role: Role

        @Option(help: "When it expires: 90d, 12h or 30m from now. (default: never)", transform: seconds(_:))
        var expires: Int64?

        @Option(help: "Who creates it. (default: the user that runs this command)")
        var by: String?

        func validate() throws {
            for (option, text) in [("name", name), ("by", by)] as [(String, String?)] {
                guard let text, !isLabel(text) else { continue }
                throw ValidationError(
                    "--\(option) must have 1 to 100 characters, none of them a control character, and no space at its ends."
                )
            }
        }

        func run() throws {
            let (name, role, expires, author) = (name, role, expires, by ?? userName())
            // What is opened next would get the descriptor, and the key: the connection to Postgres.
            guard fcntl(STDOUT_FILENO, F_GETFD) >= 0 else {
                throw CommandError("the standard output is closed, where the key would be printed")
            }
            let key = try withKeys { keys in
                try await keys.create(name: name, role: role, lifetime: expires, author: author)
            }
            let line = Array((key.text + "\n").utf8)
            guard write(STDOUT_FILENO, line, line.count) == line.count else {
                throw CommandError("the key could not be printed: revoke \(name), and create another one")
            }
        }
    }

    /// Lists the keys.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all keys, revoked ones too.")

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

    /// Revokes keys.
    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revoke a key: within a second, no worker accepts it. This cannot be undone.")

        @Argument(help: "The key's name.")
        var name: String

        func run() throws {
            let name = name
            try withKeys { try await $0.revoke(name: name) }
            print("\(name) is revoked.")
        }
    }
}

/// Runs `body` with the keys of the database.
/// - Throws: `CommandError` when the schema has none yet, and what `body` throws.
private func withKeys<Value: Sendable>(
    _ body: @escaping @Sendable (APIKeys) async throws -> Value
) throws -> Value {
    let config = try loadSchemaConfig(silently: true)
    do {
        return try Loop.run { try await body(APIKeys(Database(config.database))) }
    } catch let error as DatabaseError where error.state == "42P01" {
        throw CommandError("the database has no table of keys yet: run aktify db upgrade")
    }
}

/// The user that runs this process: `SUDO_USER`, where there is one.
private func userName() -> String {
    if let user = processEnvironment()["SUDO_USER"], !user.isEmpty { return user }
    // Sound: an entry is valid until the next call, and there are no other threads.
    return getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "user \(getuid())"
}

/// Whether a name can stand in a line of a list: it has nothing in it that ends the line, changes its order or is not seen.
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
        throw ValidationError("The role is reader, editor or admin, not \(text).")
    }
    return role
}

/// Reads `90d`, `12h` or `30m`.
@Sendable private func seconds(_ text: String) throws -> Int64 {
    let units: [Character: Int64] = ["m": 60, "h": 3600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()), (1...100_000).contains(count)
    else {
        throw ValidationError("--expires is a number of days, hours or minutes: 90d, 12h or 30m; not \(text).")
    }
    return count * unit
}

/// A key as it is listed.
private struct KeyLine: JSONWritable {
    let record: APIKeyRecord
    let state: String

    init(_ record: APIKeyRecord, _ now: Timestamp) {
        self.record = record
        let isExpired = record.expiresOn.map { $0 <= now } ?? false
        state = record.revokedOn != nil ? "revoked" : isExpired ? "expired" : "valid"
    }

    /// The name stands last, since it may have spaces.
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
    /// `2026-11-29 17:04`, in UTC.
    fileprivate var minute: String {
        var (seconds, parts) = (time_t(unixSeconds), tm())
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 24)
        let count = strftime(&text, text.count, "%Y-%m-%d %H:%M", &parts)
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
