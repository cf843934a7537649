import CLibPQ

/// A connection string that cannot be used: one line, which says what to change and holds nothing of the string.
public struct MalformedConnectionString: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

/// What libpq takes for the place of a server: a URI, or pairs `keyword=value` (Postgres manual, chapter 34.1.1).
///
/// libpq's own words on a malformed one quote parts of it, the password among them: they are never shown.
struct ConnectionString {
    /// The values, as libpq reads them, by keyword.
    private let values: [String: String]

    /// Checks a connection string; a password that is not percent-encoded is refused, also where libpq would take the rest of it for
    /// a host.
    /// - Throws: `MalformedConnectionString`.
    init(_ text: String) throws(MalformedConnectionString) {
        let scheme = ["postgresql://", "postgres://"].first(where: text.hasPrefix)
        if let scheme { try ConnectionString.checkURI(text.dropFirst(scheme.count)) }
        guard scheme != nil || ConnectionString.isPairs(text) else {
            throw MalformedConnectionString("expected postgresql://user:password@host:port/database")
        }
        guard let values = ConnectionString.parse(text) else {
            throw MalformedConnectionString(
                scheme == nil
                    ? "expected libpq's keyword=value pairs, with a value that has a space in quotes: password='two words'"
                    : "expected postgresql://user:password@host:port/database?parameter=value, with libpq's parameters")
        }
        self.values = values
        try checkPorts()
    }

    /// The hosts in it; none when it has addresses besides, whose order must stay.
    var hosts: Hosts { Hosts(names: values["hostaddr"] == nil ? values["host"] ?? "" : "", ports: values["port"]) }

    /// The addresses in it, which libpq connects to in place of the hosts.
    var addresses: [Substring] { values["hostaddr"]?.split(separator: ",") ?? [] }

    /// The role in it.
    var user: String? { values["user"] }

    /// The first port in it.
    var port: UInt16? { values["port"]?.split(separator: ",").first.flatMap { UInt16($0) } }

    /// The passwords in it, as libpq reads them.
    var secrets: [String] { ["password", "sslpassword"].compactMap { values[$0] } }

    /// Whether a text begins as pairs do; else libpq takes all of it for the name of a database.
    private static func isPairs(_ text: String) -> Bool {
        guard let end = text.firstIndex(of: "=") else { return false }
        return text[..<end].allSatisfy { $0.isLetter || $0 == "_" || $0.isWhitespace }
    }

    // MARK: Checking

    /// Checks what follows the scheme.
    private static func checkURI(_ rest: Substring) throws(MalformedConnectionString) {
        let parts = rest.split(separator: "@", omittingEmptySubsequences: false)
        let isEncoded =
            parts.count == 1
            || parts.count == 2 && parts[0].utf8.allSatisfy { isPlain($0) }
        guard isEncoded, !rest.contains("#"), hasWholeEscapes(rest) else {
            throw MalformedConnectionString(
                "user name and password must be percent-encoded: write @ as %40, / as %2F, # as %23, ? as %3F, % as %25"
            )
        }
    }

    /// Letters, digits and the rest of what RFC 3986 allows in userinfo (section 3.2.1), `%` of an escape included: the first colon
    /// ends the user name.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "-._~!$&'()*+,;=:%".utf8.contains(byte)
        }
    }

    private static func hasWholeEscapes(_ text: Substring) -> Bool {
        text.split(separator: "%", omittingEmptySubsequences: false).dropFirst().allSatisfy { piece in
            piece.utf8.prefix(2).count == 2
                && piece.utf8.prefix(2).allSatisfy { Character(UnicodeScalar($0)).isHexDigit } && !piece.hasPrefix("00")
        }
    }

    private func checkPorts() throws(MalformedConnectionString) {
        let ports = (values["port"] ?? "").split(separator: ",").map { Int($0) }
        guard ports.allSatisfy({ $0.map { (1...65_535).contains($0) } ?? false }) else {
            throw MalformedConnectionString(
                "the port must be a whole number from 1 to 65535; a password stands between user: and @host")
        }
    }

    private static func parse(_ text: String) -> [String: String]? {
        var error: UnsafeMutablePointer<CChar>?
        let options = PQconninfoParse(text, &error)
        defer {
            PQconninfoFree(options)
            PQfreemem(error)
        }
        guard let options else { return nil }
        var values: [String: String] = [:]
        var next = options
        while let keyword = next.pointee.keyword {
            if let value = next.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            next += 1
        }
        return values
    }
}

extension PostgresConfiguration.Server {
    /// The server of a connection string: a URI, or pairs `keyword=value`.
    /// - Throws: `MalformedConnectionString`, which holds nothing of the string.
    public init(connectionString text: String) throws(MalformedConnectionString) {
        _ = try ConnectionString(text)
        self = .url(text)
    }

    /// Whether a text names hosts, as `parts` takes them: `one,two:5433,[::1]:5434,/run/postgresql`.
    public static func areHosts(_ text: String) -> Bool { Hosts(text, port: 5432) != nil }

    /// Whether it names addresses (`hostaddr`), which replicas' names could not replace.
    public var hasAddresses: Bool {
        if case .url(let url) = self { (try? ConnectionString(url).addresses.isEmpty) == false } else { false }
    }

    var hasSeveralAddresses: Bool {
        if case .url(let url) = self { (try? ConnectionString(url).addresses.count) ?? 0 > 1 } else { false }
    }

    /// The port of hosts that are given without one.
    var port: UInt16 {
        switch self {
        case .url(let url): (try? ConnectionString(url).port) ?? 5432
        case .parts(_, let port, _, _, _): port
        }
    }

    var hosts: Hosts {
        switch self {
        case .url(let url): (try? ConnectionString(url).hosts) ?? Hosts(names: "", ports: nil)
        case .parts(let host, let port, _, _, _): Hosts(host, port: port) ?? Hosts(names: host, ports: String(port))
        }
    }
}

extension String {
    /// libpq's words on a connection that was not opened, without the passwords that it was to be opened with.
    func redacted(_ parameters: [(keyword: String, value: String)]) -> String {
        var secrets: [String] = []
        for (keyword, value) in parameters {
            if keyword == "password" { secrets.append(value) }
            guard keyword == "dbname", value.contains("=") || value.contains("://") else { continue }
            do { secrets += try ConnectionString(value).secrets } catch {
                return "the connection string is malformed: \(error)"
            }
        }
        return secrets.filter { !$0.isEmpty }.reduce(self) { text, secret in
            text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "***")
        }
    }
}
