import Glibc

extension ScriptDirectory {
    /// The file that holds the schema which the revisions make, once `aktify db dump` has written it.
    public var schemaFile: String { "\(path)/schema.sql" }

    /// What that file says; `nil` when there is none.
    /// - Throws: `Unreadable`.
    public func schemaText() throws(Unreadable) -> String? {
        access(schemaFile, F_OK) == 0 ? try ScriptDirectory.text(of: schemaFile) : nil
    }

    /// Writes a file whole: whoever reads it meanwhile finds the old one.
    /// - Throws: `Unreadable` when it cannot be written.
    public static func replace(_ file: String, with text: String) throws(Unreadable) {
        let name = file.split(separator: "/").last ?? ""
        let folder = String(file.dropLast(name.count))
        let draft = "\(folder).\(name).new"
        let isWritten = asOwner(of: folder.isEmpty ? "." : folder) {
            guard let stream = fopen(draft, "w") else { return false }
            let isWhole = fputs(text, stream) >= 0
            return fclose(stream) == 0 && isWhole && rename(draft, file) == 0
        }
        guard isWritten else {
            let reason = String(cString: strerror(errno))
            unlink(draft)
            throw Unreadable(description: "cannot write \(file): \(reason)")
        }
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
