@testable import AktifyAPI
@testable import FastCGI
@testable import Supervisor

extension FuzzTarget {
    /// An address that is accepted is read as the same from what it is written as, and fits its socket address.
    static let listen = FuzzTarget(name: "listen") { input in
        guard let address = try? ListenAddress(String(decoding: input, as: UTF8.self)) else { return }
        let again = try ListenAddress(address.description)
        try require(again == address, "\(address) is read as \(again)")
        if case .unix(let path) = address {
            try require(
                path.utf8.count <= ListenAddress.maximumPathLength && !path.utf8.contains(0), "a path that does not fit"
            )
        }
    }

    /// Variables have one line each, and names without space; the file is read the same with CRLF.
    static let environment = FuzzTarget(name: "environment") { input in
        let text = String(decoding: input, as: UTF8.self)
        guard let variables = try? EnvironmentFile.variables(of: text, file: "file") else { return }
        for (name, value) in variables {
            try require(!name.isEmpty && !name.unicodeScalars.contains { " =\n\0".unicodeScalars.contains($0) }, name)
            try require(!value.unicodeScalars.contains { "\n\0".unicodeScalars.contains($0) }, "\(name) has lines")
        }
    }

    /// Every environment is a configuration or a `ConfigError`.
    static let configuration = FuzzTarget(name: "configuration") { input in
        let text = String(decoding: input, as: UTF8.self)
        guard let variables = try? EnvironmentFile.variables(of: text, file: "file") else { return }
        do {
            let config = try Config(environment: variables) { _ in nil }
            try require(config.maxBodyBytes >= 0 && config.requestTimeout > .zero, "a limit that is none")
        } catch let error as ConfigError {
            try require(!error.description.unicodeScalars.contains("\n"), "an error of several lines")
        }
    }

    /// A master's state is read, or is none: it never traps.
    static let inheritance = FuzzTarget(name: "inheritance") { input in
        let text = String(decoding: input, as: UTF8.self)
        _ = Inheritance(environment: ["AKTIFY_MASTER_STATE": text])
    }
}
