import Glibc

/// The folder in which revisions lie: `versions/*.sql`, read anew each time.
public struct ScriptDirectory: Sendable {
    /// Its path.
    public let path: String

    /// Names a folder, `migrations` as a rule.
    public init(_ path: String) { self.path = path }

    /// Why a folder or a file cannot be read.
    public struct Unreadable: Error, CustomStringConvertible {
        public let description: String
    }

    /// Reads all revisions.
    /// - Throws: `Unreadable`, `MalformedRevision`, `RevisionGraph.Broken`.
    public func graph() throws -> RevisionGraph {
        try RevisionGraph(
            fileNames().map { name in
                let file = "\(path)/versions/\(name)"
                return try Revision(parsing: ScriptDirectory.text(of: file), file: file)
            })
    }

    /// Writes a new revision's file, which must not be there.
    /// - Returns: its path.
    /// - Throws: `Unreadable` when it cannot be written.
    public func write(_ revision: NewRevision) throws(Unreadable) -> String {
        let file = "\(path)/versions/\(revision.fileName)"
        guard let stream = fopen(file, "wx") else {
            throw Unreadable(description: "cannot write \(file): \(String(cString: strerror(errno)))")
        }
        let written = fputs(revision.text, stream)
        guard fclose(stream) == 0, written >= 0 else {
            throw Unreadable(description: "cannot write \(file): \(String(cString: strerror(errno)))")
        }
        return file
    }

    private func fileNames() throws(Unreadable) -> [String] {
        let folder = "\(path)/versions"
        guard let directory = opendir(folder) else {
            throw Unreadable(description: "cannot read the folder \(folder): \(String(cString: strerror(errno)))")
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".sql"), !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    private static func text(of file: String) throws(Unreadable) -> String {
        guard let stream = fopen(file, "r") else {
            throw Unreadable(description: "cannot read \(file): \(String(cString: strerror(errno)))")
        }
        defer { fclose(stream) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while case let count = fread(&buffer, 1, buffer.count, stream), count > 0 { bytes += buffer[..<count] }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Unreadable(description: "\(file) is not UTF-8")
        }
        return text
    }
}
