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
        var json = JSONWriter()
        json.beginObject()
        json.member("time", JSONLogHandler.now)
        json.member("level", event.level.rawValue)
        json.member("logger", label)
        json.member("message", "\(event.message)")
        json.member("pid", Int(getpid()))
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { write(key, value, &json) }
        json.endObject()
        let line = json.finish()
        _ = Glibc.write(STDERR_FILENO, line, line.count)
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

    /// The time of day in UTC, to the millisecond (RFC 3339).
    private static var now: String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var parts = tm()
        gmtime_r(&time.tv_sec, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
        let milliseconds = String(1000 + time.tv_nsec / 1_000_000).dropFirst()
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) + ".\(milliseconds)Z"
    }
}
