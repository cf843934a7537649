import Logging

/// A log handler that writes to standard error. Events of up to 4096 bytes are written atomically, so that the output
/// of several processes does not interleave.
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
            format.line(.warning, label, "log lines were dropped: standard error was not read", ["count": "\($0)"])
        }
    }
}
