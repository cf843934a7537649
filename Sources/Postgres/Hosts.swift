/// A list of database hosts: a primary and its standbys, or only replicas.
struct Hosts {
    /// A host name, an IP address, or the directory of a Unix domain socket, with its port.
    struct Host: Hashable {
        let name: String
        let port: String
    }

    /// The hosts in the order in which they are listed.
    let all: [Host]

    /// Parses a comma-separated list of hosts, each with or without a port: `one,two:5433,[::1]:5434,/run/postgresql`.
    /// - Parameters:
    ///   - text: The list.
    ///   - port: The port of hosts without one.
    /// - Returns: `nil` if a host is empty or has a port that is not a number from 1 to 65535.
    init?(_ text: String, port: UInt16) {
        var all: [Host] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let host = Host(part.trimmingSpaces, port: port) else { return nil }
            all.append(host)
        }
        self.all = all
    }

    /// Parses the lists of hosts and ports of a connection string. A single port applies to all hosts; an empty one
    /// means 5432, and an empty host is libpq's default.
    init(names: String, ports: String?) {
        let ports = (ports ?? "").split(separator: ",", omittingEmptySubsequences: false)
        all = names.split(separator: ",", omittingEmptySubsequences: false).enumerated().map { index, name in
            let port = ports.count == 1 ? ports[0] : index < ports.count ? ports[index] : ""
            return Host(name: String(name), port: port.isEmpty ? "5432" : String(port))
        }
    }

    /// Whether there is more than one host, so that a connection attempt has to find out which one is the primary.
    var areMultiple: Bool { all.count > 1 }
}

extension Hosts.Host {
    fileprivate init?(_ text: Substring, port: UInt16) {
        let colon = text.lastIndex(of: ":")
        // An IPv6 address with a port is in brackets.
        let hasPort = colon.map { !text[..<$0].contains(":") || text[..<$0].last == "]" } ?? false
        guard let colon, hasPort, !text.hasPrefix("/") else {
            self.init(name: text.unbracketed, port: String(port))
            if name.isEmpty { return nil }
            return
        }
        guard let number = UInt16(text[text.index(after: colon)...]), number > 0 else { return nil }
        self.init(name: text[..<colon].unbracketed, port: String(number))
        if name.isEmpty { return nil }
    }
}

extension Substring {
    /// The text without leading and trailing spaces.
    fileprivate var trimmingSpaces: Substring {
        var rest = drop { $0 == " " }
        while rest.last == " " { rest.removeLast() }
        return rest
    }

    /// The address without the brackets of the form `[::1]`.
    fileprivate var unbracketed: String { String(hasPrefix("[") && hasSuffix("]") ? dropFirst().dropLast() : self) }
}
