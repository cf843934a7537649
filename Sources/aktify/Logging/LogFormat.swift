import Glibc
import Logging
import Web

/// The format of log lines.
enum LogFormat {
    /// A JSON object per line, for log collectors.
    case json
    /// Time, level, label and message, then the metadata as NAME=VALUE, for terminals.
    case text

    /// Formats a log event, including the trailing line feed.
    func line(_ level: Logger.Level, _ label: String, _ message: String, _ metadata: Logger.Metadata) -> [UInt8] {
        let sorted = metadata.sorted { $0.key < $1.key }
        switch self {
        case .json: return LogFormat.json(level, label, message, sorted)
        case .text:
            let details = sorted.map { " \($0.key)=\($0.value)" }.joined()
            return Array("\(LogTime.now) \(level) \(label): \(message)\(details)\n".utf8)
        }
    }

    private static func json(
        _ level: Logger.Level, _ label: String, _ message: String,
        _ metadata: [(key: String, value: Logger.MetadataValue)]
    ) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("time", LogTime.now)
        json.member("level", level.rawValue)
        json.member("logger", label)
        json.member("message", message)
        json.member("pid", Int(getpid()))
        for (key, value) in metadata { write(key, value, &json) }
        json.endObject()
        return json.finish()
    }

    /// Writes a metadata value as a JSON number if it is an integer, and as a string otherwise. A request id is always
    /// a string, even when it consists of digits.
    private static func write(_ key: String, _ value: Logger.Metadata.Value, _ json: inout JSONWriter) {
        let text = "\(value)"
        if let number = Int64(text), key != "request_id" {
            json.member(named: key, number)
        } else {
            json.member(named: key, text)
        }
    }
}
