import Glibc

extension ScriptDirectory {
    /// The file that holds the schema which the revisions make, once `aktify db dump` has written it.
    public var schemaFile: String { "\(path)/schema.sql" }

    /// What that file says; `nil` when there is none.
    /// - Throws: `Unreadable`.
    public func schemaText() throws(Unreadable) -> String? {
        access(schemaFile, F_OK) == 0 ? try ScriptDirectory.text(of: schemaFile) : nil
    }

    /// Writes a file whole: whoever reads it meanwhile finds the old one. What is there and no regular file, like a pipe, is written to.
    /// - Throws: `Unreadable` when it cannot be written.
    public static func replace(_ file: String, with text: String) throws(Unreadable) {
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
            throw Unreadable(description: "cannot write \(file): \(reason)")
        }
    }

    /// Whether something is there that is no regular file: a link, a pipe, a device.
    private static func isIrregular(_ file: String) -> Bool {
        var status = stat()
        return lstat(file, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
    }

    /// Puts one revision's file in the place of others, which are deleted once it is written.
    /// - Returns: its path.
    /// - Throws: `Unreadable` when a file cannot be written or deleted.
    public func replace(_ revisions: [Revision], with baseline: Baseline) throws(Unreadable) -> String {
        let file = "\(path)/versions/\(baseline.revision.fileName)"
        try ScriptDirectory.replace(file, with: baseline.text)
        for old in revisions where old.file != file {
            guard unlink(old.file) == 0 else {
                throw Unreadable(description: "cannot delete \(old.file): \(String(cString: strerror(errno)))")
            }
        }
        return file
    }
}
