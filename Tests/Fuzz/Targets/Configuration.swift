@testable import AktifyAPI
@testable import FastCGI
@testable import Supervisor

extension FuzzTarget {
    /// Parsing the description of an accepted address yields the same address. The path of a Unix socket fits into a
    /// socket address.
    static let listen = FuzzTarget(name: "listen") { input in
        guard let address = try? ListenAddress(String(decoding: input, as: UTF8.self)) else { return }
        let parsedAgain = try ListenAddress(address.description)
        try require(parsedAgain == address, "\(address) is parsed as \(parsedAgain)")
        if case .unix(let path) = address {
            try require(
                path.utf8.count <= ListenAddress.maximumPathLength && !path.utf8.contains(0),
                "a path does not fit into the socket address"
            )
        }
    }

    /// The variables of an accepted environment file contain no line break, and their names contain no space.
    static let environment = FuzzTarget(name: "environment") { input in
        let text = String(decoding: input, as: UTF8.self)
        guard let variables = try? EnvironmentFile.variables(of: text, file: "file") else { return }
        for (name, value) in variables {
            try require(!name.isEmpty && !name.unicodeScalars.contains { " =\n\0".unicodeScalars.contains($0) }, name)
            try require(
                !value.unicodeScalars.contains { "\n\0".unicodeScalars.contains($0) },
                "\(name) contains a line break or NUL")
        }
    }

    /// Every environment results in a configuration or a `ConfigError`.
    static let configuration = FuzzTarget(name: "configuration") { input in
        let text = String(decoding: input, as: UTF8.self)
        guard let variables = try? EnvironmentFile.variables(of: text, file: "file") else { return }
        do {
            let config = try Config(environment: variables) { _ in nil }
            try require(config.maxBodyBytes >= 0 && config.requestTimeout > .zero, "a limit is out of range")
        } catch let error as ConfigError {
            try require(!error.description.unicodeScalars.contains("\n"), "an error message has several lines")
        }
    }

    /// Parsing the state of a previous master never traps.
    static let inheritance = FuzzTarget(name: "inheritance") { input in
        let text = String(decoding: input, as: UTF8.self)
        _ = Inheritance(environment: ["AKTIFY_MASTER_STATE": text])
    }
}
