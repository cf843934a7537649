import Foundation

/// A process of this machine, according to /proc.
struct Process {
    let pid: pid_t
    let parent: pid_t
    let state: Character
    let threads: Int
    /// Resident memory, in bytes.
    let memory: Int
    /// The number of open descriptors.
    let descriptors: Int

    init?(_ pid: pid_t) {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(end, offsetBy: 2)...].split(separator: " ")
        guard fields.count > 21, let parent = pid_t(fields[1]), let threads = Int(fields[17]),
            let pages = Int(fields[21])
        else { return nil }
        (self.pid, self.parent, self.threads, state) = (pid, parent, threads, fields[0].first ?? "?")
        memory = pages * Int(sysconf(Int32(_SC_PAGESIZE)))
        descriptors = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? []).count
    }

    /// The processes that were started with this path as argv[0].
    static func all(startedFrom path: String) -> [Process] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { name in
            guard let pid = pid_t(name),
                let line = try? String(contentsOfFile: "/proc/\(name)/cmdline", encoding: .utf8),
                line.hasPrefix(path + "\0")
            else { return nil }
            return Process(pid)
        }
    }
}

/// The signals that change the number of workers.
enum Signal {
    /// TTIN: start one more worker.
    static let oneMore: Int32 = 21
    /// TTOU: stop one worker.
    static let oneLess: Int32 = 22
}
