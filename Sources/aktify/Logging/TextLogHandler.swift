import Glibc
import Logging

/// Logs to standard error for people: the time, the level, who says it, the message, and the rest as NAME=VALUE.
struct TextLogHandler: LogHandler {
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
        let details = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        return Array("\(LogTime.now) \(level) \(label): \(message)\(details)\n".utf8)
    }
}
