import Glibc

extension ScriptDirectory {
    /// The path of the schema file that `aktify db dump` writes: the schema that the revisions create.
    public var schemaFile: String { "\(path)/schema.sql" }

    /// Returns the contents of the schema file; `nil` if it does not exist.
    /// - Throws: `FileError` if it cannot be read.
    public func schemaText() throws(FileError) -> String? {
        access(schemaFile, F_OK) == 0 ? try ScriptDirectory.text(of: schemaFile) : nil
    }

    /// Replaces a file's contents atomically: concurrent readers see the old or the new contents. An existing pipe,
    /// device or symbolic link is written to directly.
    /// - Throws: `FileError` if it cannot be written.
    public static func replace(_ file: String, with text: String) throws(FileError) {
        let name = file.split(separator: "/").last ?? ""
        let folder = String(file.dropLast(name.count))
        let isInPlace = isIrregular(file)
        let draft = isInPlace ? file : "\(folder).\(name).new"
        let isWritten = asOwner(of: folder.isEmpty ? "." : folder) {
            guard let stream = fopen(draft, "w") else { return false }
            let isWhole = fputs(text, stream) >= 0
            return fclose(stream) == 0 && isWhole && (isInPlace || rename(draft, file) == 0)
        }
        guard isWritten else {
            let reason = String(cString: strerror(errno))
            if !isInPlace { unlink(draft) }
            throw FileError(description: "cannot write \(file): \(reason)")
        }
    }

    /// Whether the path exists and is no regular file, but a symbolic link, pipe or device.
    private static func isIrregular(_ file: String) -> Bool {
        var status = stat()
        return lstat(file, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
    }

    /// Writes a baseline's file, then deletes the files of the revisions that it replaces.
    /// - Returns: The path of the baseline's file.
    /// - Throws: `FileError` if a file cannot be written or deleted.
    public func replace(_ revisions: [Revision], with baseline: Baseline) throws(FileError) -> String {
        let file = "\(path)/versions/\(baseline.revision.fileName)"
        try ScriptDirectory.replace(file, with: baseline.text)
        for old in revisions where old.file != file {
            guard unlink(old.file) == 0 else {
                throw FileError(description: "cannot delete \(old.file): \(String(cString: strerror(errno)))")
            }
        }
        return file
    }
}
