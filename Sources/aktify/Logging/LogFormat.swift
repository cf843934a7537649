import Glibc
import Logging
import Web

/// How an event becomes a line of the log.
enum LogFormat {
    /// A JSON object, for programs.
    case json
    /// The time, the level, the label, the message, and the metadata as NAME=VALUE, for people.
    case text

    /// The line, with the line feed at its end.
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

    /// A value that is a number is written as one.
    private static func write(_ key: String, _ value: Logger.Metadata.Value, _ json: inout JSONWriter) {
        let text = "\(value)"
        if let number = Int64(text), key != "request_id" {
            json.member(named: key, number)
        } else {
            json.member(named: key, text)
        }
    }
}
