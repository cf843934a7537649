import Logging

/// Logs to standard error, one line an event, each written whole: lines of several processes do not mix.
struct StandardErrorLogHandler: LogHandler {
    let label: String
    let format: LogFormat
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    init(label: String, format: LogFormat, level: Logger.Level) {
        (self.label, self.format, logLevel) = (label, format, level)
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        StandardError.write(format.line(event.level, label, "\(event.message)", all)) {
            format.line(.warning, label, "lines of the log were dropped, since nobody read them", ["count": "\($0)"])
        }
    }
}
