import CLibPQ

/// The error for an invalid connection string. The description of the error is one line that says what to correct and
/// contains no part of the string.
public struct MalformedConnectionString: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

/// A connection string of libpq: a URI, or `keyword=value` pairs (Postgres manual, section 34.1.1).
///
/// libpq's error messages for an invalid connection string are never logged or shown, because they quote parts of the
/// string, possibly the password.
struct ConnectionString {
    /// The values by keyword, as parsed by libpq.
    private let values: [String: String]

    /// Validates and parses a connection string. A URI with a password that is not percent-encoded is rejected; libpq
    /// might accept the URI and take part of the password for a host name.
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
                    ? "expected libpq's keyword=value pairs; quote a value that contains a space: password='two words'"
                    : "expected postgresql://user:password@host:port/database?parameter=value, with libpq's parameters")
        }
        self.values = values
        try checkPorts()
    }

    /// The hosts, each of which can be tried separately. Empty if the connection string has IP addresses (`hostaddr`),
    /// because libpq would connect to the addresses whatever host is set.
    var hosts: Hosts { Hosts(names: values["hostaddr"] == nil ? values["host"] ?? "" : "", ports: values["port"]) }

    /// The IP addresses (`hostaddr`), to which libpq connects instead of resolving the host names.
    var addresses: [Substring] { values["hostaddr"]?.split(separator: ",") ?? [] }

    /// The name of the role (`user`).
    var user: String? { values["user"] }

    /// The port of the first host; `nil` if that is the default one.
    var port: UInt16? { values["port"].flatMap { UInt16($0.prefix { $0 != "," }) } }

    /// The parameters except `password`, which is only for the connection string's own role.
    var parametersForOtherRole: [(keyword: String, value: String)] {
        values.filter { $0.key != "password" }.map { ($0.key, $0.value) }
    }

    /// The passwords (`password` and `sslpassword`), as parsed by libpq.
    var secrets: [String] { ["password", "sslpassword"].compactMap { values[$0] } }

    /// Whether a text begins like `keyword=value` pairs; libpq interprets any other text as the name of a database.
    private static func isPairs(_ text: String) -> Bool {
        guard let end = text.firstIndex(of: "=") else { return false }
        return text[..<end].allSatisfy { $0.isLetter || $0 == "_" || $0.isWhitespace }
    }

    // MARK: Checking

    /// Validates the part of a URI after the scheme.
    private static func checkURI(_ rest: Substring) throws(MalformedConnectionString) {
        let parts = rest.split(separator: "@", omittingEmptySubsequences: false)
        let isEncoded =
            parts.count == 1
            || parts.count == 2 && parts[0].utf8.allSatisfy { isPlain($0) }
        guard isEncoded, !rest.contains("#"), hasValidEscapes(rest) else {
            throw MalformedConnectionString(
                "user name and password must be percent-encoded: write @ as %40, / as %2F, # as %23, ? as %3F, % as %25"
            )
        }
    }

    /// Whether a byte may occur in the user name and password of a URI (RFC 3986, section 3.2.1): a letter, a digit, a
    /// permitted delimiter, or the `%` of an escape. Colons are permitted; the first one ends the user name.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "-._~!$&'()*+,;=:%".utf8.contains(byte)
        }
    }

    /// Whether every `%` begins a valid percent-encoded byte other than NUL (`%00`).
    private static func hasValidEscapes(_ text: Substring) -> Bool {
        text.split(separator: "%", omittingEmptySubsequences: false).dropFirst().allSatisfy { piece in
            piece.utf8.prefix(2).count == 2
                && piece.utf8.prefix(2).allSatisfy { Character(UnicodeScalar($0)).isHexDigit } && !piece.hasPrefix("00")
        }
    }

    private func checkPorts() throws(MalformedConnectionString) {
        let ports = (values["port"] ?? "").split(separator: ",").map { Int($0) }
        guard ports.allSatisfy({ $0.map { (1...65_535).contains($0) } ?? false }) else {
            throw MalformedConnectionString(
                "the port must be a whole number from 1 to 65535; the password goes between user: and @host")
        }
    }

    /// Parses a connection string with libpq; returns `nil` if it is invalid.
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
    /// Validates a connection string, a URI or `keyword=value` pairs, and creates a server from it.
    /// - Throws: `MalformedConnectionString`, which contains no part of the string.
    public init(connectionString text: String) throws(MalformedConnectionString) {
        _ = try ConnectionString(text)
        self = .url(text)
    }

    /// Whether a text is a valid list of hosts for `parts(host:port:user:password:database:)`:
    /// `one,two:5433,[::1]:5434,/run/postgresql`.
    public static func areHosts(_ text: String) -> Bool { Hosts(text, port: 5432) != nil }

    /// Whether the server is specified by IP addresses (`hostaddr`). If so, replicas cannot be configured, because
    /// libpq would connect to the addresses whatever host name is set.
    public var hasAddresses: Bool {
        if case .url(let url) = self { (try? ConnectionString(url).addresses.isEmpty) == false } else { false }
    }

    /// Whether the server is specified by more than one IP address (`hostaddr`).
    var hasMultipleAddresses: Bool {
        if case .url(let url) = self { (try? ConnectionString(url).addresses.count) ?? 0 > 1 } else { false }
    }

    /// The port of hosts that are specified without one.
    var port: UInt16 {
        switch self {
        case .url(let url): (try? ConnectionString(url).port) ?? 5432
        case .parts(_, let port, _, _, _): port
        }
    }

    /// The hosts that are listed in the connection string or in the `host` parameter.
    var hosts: Hosts {
        switch self {
        case .url(let url): (try? ConnectionString(url).hosts) ?? Hosts(names: "", ports: nil)
        case .parts(let host, let port, _, _, _): Hosts(host, port: port) ?? Hosts(names: host, ports: String(port))
        }
    }
}

extension String {
    /// Returns this error message from libpq with passwords replaced by asterisks.
    /// - Parameter parameters: The parameters of the failed connection attempt, which contain the passwords.
    func redacted(_ parameters: [(keyword: String, value: String)]) -> String {
        var secrets: [String] = []
        for (keyword, value) in parameters {
            if ["password", "sslpassword"].contains(keyword) { secrets.append(value) }
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
