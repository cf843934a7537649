import Foundation
import TestSupport

extension Cluster {
    /// Occupies all connections of the server, until the returned sockets are released.
    func exhaust() -> [Socket] {
        let text = Array("user\0postgres\0database\0postgres\0\0".utf8)
        let size = UInt32(text.count + 8)
        let startup =
            [UInt8(size >> 24), UInt8(size >> 16 & 255), UInt8(size >> 8 & 255), UInt8(size & 255), 0, 3, 0, 0] + text
        return (0..<200).compactMap { _ in
            guard let socket = try? Socket(path: "\(database.socketDirectory)/.s.PGSQL.5432") else { return nil }
            socket.send(startup)
            return socket
        }
    }

    /// Moves the table to a separate file system that is full while `body` runs. Requires root and permission to mount.
    func withFullDisk(_ body: () -> Void) throws {
        let folder = "/tmp/aktify-disk-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=777", "none", folder])
        defer { _ = try? run(["umount", "-l", folder]) }
        try FileManager.default.createDirectory(atPath: "\(folder)/space", withIntermediateDirectories: true)
        try run(["chown", "--reference=\(database.socketDirectory)", "\(folder)/space"])
        try database.sql("CREATE TABLESPACE small LOCATION '\(folder)/space'")
        defer {
            // The table must leave the file system before that is unmounted, also if another fault delays it.
            unlink("\(folder)/filling")
            waitFor(30) {
                (try? move(to: "pg_default")) != nil && (try? database.sql("DROP TABLESPACE small")) != nil
            }
        }
        try move(to: "small")
        _ = try? run(["dd", "if=/dev/zero", "of=\(folder)/filling", "bs=4k"])
        body()
    }

    private func move(to space: String) throws {
        try database.sql("SET lock_timeout = '5s'; ALTER TABLE campaign SET TABLESPACE \(space)")
    }

    /// Whether a small file system can be mounted.
    static var canMount: Bool {
        let folder = "/tmp/aktify-probe-\(getpid())"
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        guard getuid() == 0, (try? run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder])) != nil else {
            return false
        }
        _ = try? run(["umount", folder])
        return true
    }
}
