import Web

/// A file of environment variables: lines `NAME=VALUE`, empty lines, and comments that begin with `#`. The format is a
/// subset of systemd's `EnvironmentFile=`, without escapes and continuation lines.
public enum EnvironmentFile {
    /// Parses the variables. White space around a value is removed, then quotes around the rest.
    /// - Parameters:
    ///   - text: the contents of the file.
    ///   - file: the name of the file, for error messages.
    /// - Throws: `ConfigError`, with the number of the malformed line.
    public static func variables(of text: String, file: String) throws(ConfigError) -> [String: String] {
        var variables: [String: String] = [:]
        for (index, line) in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            // Splits scalars, since CRLF is a single `Character`, which is not equal to LF.
            let line = String(line)
            guard let first = line.first(where: { !$0.isWhitespace }), first != "#" else { continue }
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, parts[0].allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
            else { throw ConfigError("\(file):\(index + 1)", "expected NAME=VALUE") }
            guard !line.utf8.contains(0) else { throw ConfigError("\(file):\(index + 1)", "contains a NUL character") }
            variables[String(parts[0])] = unquoted(parts[1].trimmed)
        }
        return variables
    }

    private static func unquoted(_ value: String) -> String {
        for quote in ["\"", "'"] where value.count >= 2 && value.hasPrefix(quote) && value.hasSuffix(quote) {
            return String(value.dropFirst().dropLast())
        }
        return value
    }
}
