/// The servers of a cluster, one of which is the primary.
struct Hosts {
    /// A server: a host name, an address, or the directory of a Unix socket.
    struct Host: Hashable {
        let name: String
        let port: String
    }

    let all: [Host]

    /// Reads names with commas between, each with a port or without: `one,two:5433,[::1]:5434,/run/postgresql`.
    /// - Parameter port: the port of those without.
    /// - Returns: `nil` when one is empty, or its port no number from 1 to 65535.
    init?(_ text: String, port: UInt16) {
        var all: [Host] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let host = Host(part.trimmingSpaces, port: port) else { return nil }
            all.append(host)
        }
        self.all = all
    }

    /// Takes libpq's lists, as a connection string has them: one port is all hosts'.
    init(names: String, ports: String?) {
        let ports = (ports ?? "5432").split(separator: ",").map(String.init)
        all = names.split(separator: ",").enumerated().map { index, name in
            Host(name: String(name), port: index < ports.count ? ports[index] : ports.last ?? "5432")
        }
    }

    /// Whether there is a primary to look for.
    var areMany: Bool { all.count > 1 }
}

extension Hosts.Host {
    fileprivate init?(_ text: Substring, port: UInt16) {
        let colon = text.lastIndex(of: ":")
        // An address of IPv6 is in brackets when it has a port.
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
    /// Without the spaces around it.
    fileprivate var trimmingSpaces: Substring {
        var rest = drop { $0 == " " }
        while rest.last == " " { rest.removeLast() }
        return rest
    }

    /// An address without the brackets that it may stand in.
    fileprivate var unbracketed: String { String(hasPrefix("[") && hasSuffix("]") ? dropFirst().dropLast() : self) }
}
