import Web

/// An invalid environment variable. The description is one line, with the name of the variable and what is expected.
public struct ConfigError: Error, CustomStringConvertible {
    public let description: String

    init(_ name: String, _ problem: String) { description = "\(name): \(problem)" }

    init(_ name: String, is value: String, expected: String) {
        self.init(name, "expected \(expected), not \"\(value)\"")
    }
}

/// Parses environment variables. An empty variable counts as unset, since Docker Compose passes unset variables as
/// empty ones.
struct EnvironmentReader {
    let variables: [String: String]
    let readFile: (String) -> String?

    private func value(_ name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// Returns the value of a variable as text, or `default` when the variable is not set.
    func text(_ name: String, default: String) -> String { value(name) ?? `default` }

    /// Parses the value of a variable as an integer; returns `default` when the variable is not set.
    /// - Throws: `ConfigError` when the value is not an integer, or out of range.
    func integer(_ name: String, default: Int, in range: ClosedRange<Int>) throws(ConfigError) -> Int {
        guard let text = value(name) else { return `default` }
        guard let number = Int(text), range.contains(number) else {
            throw ConfigError(
                name, is: text, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// Parses the value of a variable as a Boolean; returns `default` when the variable is not set. `1`, `true`, `yes`
    /// and `on` mean true, `0`, `false`, `no` and `off` mean false.
    /// - Throws: `ConfigError` when the value is none of these words.
    func bool(_ name: String, default: Bool) throws(ConfigError) -> Bool {
        switch value(name)?.lowercased() {
        case nil: `default`
        case "1", "true", "yes", "on": true
        case "0", "false", "no", "off": false
        case let text?: throw ConfigError(name, is: text, expected: "true or false")
        }
    }

    /// Returns the value of a variable in lower case, or `default` when the variable is not set.
    /// - Throws: `ConfigError` when the value is none of `choices`.
    func choice(_ name: String, of choices: [String], default: String) throws(ConfigError) -> String {
        guard let text = value(name)?.lowercased() else { return `default` }
        guard choices.contains(text) else {
            throw ConfigError(name, is: text, expected: "one of \(choices.joined(separator: ", "))")
        }
        return text
    }

    /// Reads a secret from the variable `name`, or from the file whose path is in the variable with the suffix `_FILE`.
    /// White space around the contents of the file is removed. Returns `nil` when neither variable is set.
    /// - Throws: `ConfigError` when both variables are set, or the file cannot be read.
    func secret(_ name: String) throws(ConfigError) -> String? {
        guard let path = value("\(name)_FILE") else { return value(name) }
        guard value(name) == nil else { throw ConfigError(name, "is set, and so is \(name)_FILE: unset one of them") }
        guard let text = readFile(path) else {
            // The message omits what does not look like a path, since it may be the secret itself.
            let shownPath =
                path.hasPrefix("/") && !path.contains("@") ? path : "it: expected the absolute path of a file"
            throw ConfigError("\(name)_FILE", "cannot read \(shownPath)")
        }
        return text.trimmed
    }
}
