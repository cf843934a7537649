import ArgumentParser
import Glibc
import Migrations
import Web

/// An error that a command reports in one sentence before it exits with status 1.
struct CommandError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

extension RevisionGraph {
    /// Describes a revision as `alembic heads` does: `3531fa35359f (head)`, or several lines when `verbose` is set.
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

    /// Describes a revision as `alembic history` does: `6c369edd2a4c -> 3531fa35359f (head), Add description and
    /// is_active`.
    /// - Parameter mark: text to insert after the id, such as ` (current)`.
    func historyLine(of revision: Revision, mark: String, verbose: Bool) -> String {
        guard !verbose else { return line(of: revision, verbose: true) }
        let parents = revision.parents.isEmpty ? "<base>" : revision.parents.joined(separator: ", ")
        return "\(parents) -> \(revision.id)\(marks(of: revision))\(mark), \(revision.message)"
    }

    /// Returns the revisions of a range `FROM:TO`, both inclusive, parents before children; all revisions when `range`
    /// is `nil`.
    /// - Parameter current: the revisions that the database is at.
    func history(_ range: String?, current: Set<String>) throws -> [Revision] {
        guard let range else { return revisions }
        let ends = range.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        guard ends.count == 2 else {
            throw ValidationError("History range requires [start]:[end], [start]:, or :[end]")
        }
        let upper = try ends[1].isEmpty ? heads.map(\.id) : resolve(ends[1], current: current)
        let lower = try ends[0].isEmpty ? [] : resolve(ends[0], current: current)
        let excluded = try closure(of: lower.flatMap { id throws in try revision(id).parents })
        let included = try closure(of: upper).subtracting(excluded)
        return revisions.filter { included.contains($0.id) }
    }
}

extension SchemaOptions {
    /// Writes the file of a new revision, after checking that the revision parses and that it keeps the graph valid.
    /// - Parameter graph: the existing revisions.
    func write(_ revision: NewRevision, to graph: RevisionGraph) throws {
        let path = "\(scripts.path)/versions/\(revision.fileName)"
        let parsed = try Revision(parsing: revision.text, file: path)
        if let problem = parsed.problem { throw problem }
        _ = try RevisionGraph(graph.revisions + [parsed])
        print("  Generating \(try scripts.write(revision)) ...  done")
    }
}

/// Prints a JSON object in one line.
/// - Parameter write: writes the members of the object.
func printJSON(_ write: (inout JSONWriter) -> Void) {
    var json = JSONWriter()
    json.beginObject()
    write(&json)
    json.endObject()
    print(String(decoding: json.finish().dropLast(), as: UTF8.self))
}
