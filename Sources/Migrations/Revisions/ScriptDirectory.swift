import Glibc

/// A directory whose subdirectory `versions` contains the revision files, `*.sql`. File contents are not cached.
public struct ScriptDirectory: Sendable {
    /// The path of the directory that contains `versions`.
    public let path: String

    /// Creates a script directory at a path, usually `migrations`.
    public init(_ path: String) { self.path = path }

    /// A directory or file that cannot be read or written; the description is the message for the user.
    public struct FileError: Error, CustomStringConvertible {
        public let description: String
    }

    /// Parses all revision files.
    /// - Throws: `FileError`, `MalformedRevision` or `RevisionGraph.GraphError`.
    public func graph() throws -> RevisionGraph {
        try RevisionGraph(
            fileNames().map { name in
                let file = "\(path)/versions/\(name)"
                return try Revision(parsing: ScriptDirectory.text(of: file), file: file)
            })
    }

    /// Writes a new revision's file.
    /// - Returns: The path of the file.
    /// - Throws: `FileError` if the file cannot be written or already exists.
    public func write(_ revision: NewRevision) throws(FileError) -> String {
        let file = "\(path)/versions/\(revision.fileName)"
        let opened = ScriptDirectory.asOwner(of: "\(path)/versions") { fopen(file, "wx") }
        guard let stream = opened else {
            throw FileError(description: "cannot write \(file): \(String(cString: strerror(errno)))")
        }
        let written = fputs(revision.text, stream)
        guard fclose(stream) == 0, written >= 0 else {
            throw FileError(description: "cannot write \(file): \(String(cString: strerror(errno)))")
        }
        return file
    }

    /// Runs `body` with the effective user and group of the directory's owner if this process is root. Files that a
    /// container writes into a mounted checkout then belong to the user outside the container.
    static func asOwner<Value>(of folder: String, _ body: () -> Value) -> Value {
        var status = stat()
        guard geteuid() == 0, stat(folder, &status) == 0, status.st_uid != 0 else { return body() }
        let group = getegid()
        _ = (setegid(status.st_gid), seteuid(status.st_uid))
        defer { _ = (seteuid(0), setegid(group)) }
        return body()
    }

    private func fileNames() throws(FileError) -> [String] {
        let folder = "\(path)/versions"
        guard let directory = opendir(folder) else {
            throw FileError(description: "cannot read the folder \(folder): \(String(cString: strerror(errno)))")
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

    /// Reads a UTF-8 file.
    static func text(of file: String) throws(FileError) -> String {
        guard let stream = fopen(file, "r") else {
            throw FileError(description: "cannot read \(file): \(String(cString: strerror(errno)))")
        }
        defer { fclose(stream) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while case let count = fread(&buffer, 1, buffer.count, stream), count > 0 { bytes += buffer[..<count] }
        guard ferror(stream) == 0 else {
            throw FileError(description: "cannot read \(file): \(String(cString: strerror(errno)))")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw FileError(description: "\(file) is not UTF-8")
        }
        return text
    }
}
