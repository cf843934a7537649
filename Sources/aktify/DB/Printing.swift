import ArgumentParser
import Glibc
import Migrations
import Web

/// What is wrong, in a sentence; the command ends with 1.
struct CommandError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

extension RevisionGraph {
    /// `3531fa35359f (head)`, or all that Alembic says with `-v`.
    func line(of revision: Revision, verbose: Bool = false) -> String {
        guard verbose else { return revision.id + marks(of: revision) }
        let parents = revision.parents.isEmpty ? "<base>" : revision.parents.joined(separator: ", ")
        return """
            Rev: \(revision.id)\(marks(of: revision))
            Parent: \(parents)
            Path: \(revision.file)

                \(revision.message)

                Revision ID: \(revision.id)
                Revises: \(revision.parents.joined(separator: ", "))
                Create Date: \(revision.created)

            """
    }

    /// `6c369edd2a4c -> 3531fa35359f (head), Add description and is_active`
    func step(of revision: Revision, mark: String, verbose: Bool) -> String {
        guard !verbose else { return line(of: revision, verbose: true) }
        let parents = revision.parents.isEmpty ? "<base>" : revision.parents.joined(separator: ", ")
        return "\(parents) -> \(revision.id)\(marks(of: revision))\(mark), \(revision.message)"
    }

    /// The revisions of a range, both ends included, in order.
    func history(_ range: String?, current: Set<String>) throws -> [Revision] {
        guard let range else { return revisions }
        let ends = range.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        guard ends.count == 2 else {
            throw ValidationError("History range requires [start]:[end], [start]:, or :[end]")
        }
        let upper = try ends[1].isEmpty ? heads.map(\.id) : resolve(ends[1], current: current)
        let lower = try ends[0].isEmpty ? [] : resolve(ends[0], current: current)
        let below = try closure(of: lower.flatMap { id throws in try revision(id).parents })
        let wanted = try closure(of: upper).subtracting(below)
        return revisions.filter { wanted.contains($0.id) }
    }
}

extension Schema {
    /// Writes a new revision's file, when the revisions still make sense with it.
    func write(_ revision: NewRevision, among graph: RevisionGraph) throws {
        let path = "\(scripts.path)/versions/\(revision.fileName)"
        let made = try Revision(parsing: revision.text, file: path)
        if let problem = made.problem { throw problem }
        _ = try RevisionGraph(graph.revisions + [made])
        print("  Generating \(try scripts.write(revision)) ...  done")
    }
}

/// Prints a JSON object whose members `write` writes.
func printJSON(_ write: (inout JSONWriter) -> Void) {
    var json = JSONWriter()
    json.beginObject()
    write(&json)
    json.endObject()
    print(String(decoding: json.finish().dropLast(), as: UTF8.self))
}
