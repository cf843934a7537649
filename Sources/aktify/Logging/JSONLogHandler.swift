import Glibc
import Logging
import Web

/// Logs to standard error, one line of JSON an event, each written whole: lines of several processes do not mix.
struct JSONLogHandler: LogHandler {
    let label: String
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    init(label: String) { self.label = label }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        StandardError.write(line(event.level, "\(event.message)", all)) {
            line(.warning, "lines of the log were dropped, since nobody read them", ["count": "\($0)"])
        }
    }

    private func line(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("time", LogTime.now)
        json.member("level", level.rawValue)
        json.member("logger", label)
        json.member("message", message)
        json.member("pid", Int(getpid()))
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { write(key, value, &json) }
        json.endObject()
        return json.finish()
    }

    /// What is a number, is written as one.
    private func write(_ key: String, _ value: Logger.Metadata.Value, _ json: inout JSONWriter) {
        let text = "\(value)"
        if let number = Int64(text), key != "request_id" {
            json.member(named: key, number)
        } else {
            json.member(named: key, text)
        }
    }
}
