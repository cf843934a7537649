/// A schema revision, as parsed from its file: plain SQL with Alembic's header fields, an upgrade section and a
/// downgrade section.
///
/// ```
/// -- Create Campaign table
/// --
/// -- Revision ID: 6c369edd2a4c
/// -- Revises:
/// -- Create Date: 2020-03-03 00:00:00
///
/// -- upgrade
/// CREATE TABLE …;
/// -- downgrade
/// DROP TABLE …;
/// ```
///
/// Comments with a meaning (outside of strings and other comments):
/// - `-- outside transaction` and `-- inside transaction`: where the following statements run; the default is inside.
/// - `-- breaking: WHY`, in an upgrade: programs that do not know the revision cannot work with the upgraded schema.
/// - `-- irreversible: WHY`, in a downgrade: the revision cannot be downgraded.
/// - `-- data loss: WHAT`, before a statement: it deletes data irrecoverably.
/// - `-- lint: allow RULE WHY`, before a statement: suppresses a lint rule for it.
/// - `-- batches of 5000 by id`, before an `UPDATE` or a `DELETE`: it runs outside a transaction, in batches that are
///   committed separately.
/// - `-- contract of REV`, in an upgrade: it must not run while programs are connected that do not know the revision
///   REV.
///
/// Two optional sections may follow: `-- verify` with queries that must return true once the revision is applied, and
/// `-- fixtures` with statements that insert rows for its verification in a scratch database.
public struct Revision: Hashable, Sendable {
    /// The revision's id: 12 hexadecimal digits, if Alembic or `aktify db` generated it.
    public let id: String
    /// The ids of the revisions that this one revises: none for the first revision, several for one that merges
    /// branches.
    public let parents: [String]
    /// A short description of the change.
    public let message: String
    /// The creation date, as written in the header.
    public let created: String
    /// The revisions that were squashed into this one; usually none.
    public let replacement: Replacement
    /// The path of the file.
    public let file: String
    /// The file's contents, with LF line endings and without a byte-order mark.
    public let text: String
    /// The sections, parsed on first access.
    let body: RevisionBody

    /// The statements that apply the revision.
    public var upgrade: Section { body[.upgrade] }
    /// The statements that revert the revision.
    public var downgrade: Section { body[.downgrade] }
    /// Queries that must return true once the revision is applied.
    public var verification: Section { body[.verify] }
    /// Statements that insert rows for the revision's verification in a scratch database.
    var fixtures: Section { body[.fixtures] }
    /// The text from which the checksum is computed: without the verify and fixtures sections, which may change after
    /// the revision was applied.
    var checksumText: String { body.checksumText }
    /// The texts from which the checksum may have been computed when the revision was applied. If verify or fixtures
    /// sections were added afterwards, the file may have ended with zero, one or two newlines until then.
    var checksumCandidates: [String] {
        let text = checksumText
        guard text != self.text else { return [text] }
        return ["", "\n", "\n\n"].map { text.withoutBlanksAtEnd + $0 }
    }

    /// The first error in each malformed section.
    var problems: [MalformedRevision] { SectionKind.allCases.compactMap { body[$0].problem } }

    /// The first error in the file's sections, if any.
    public var problem: MalformedRevision? { problems.first }

    public static func == (one: Revision, other: Revision) -> Bool { one.text == other.text && one.file == other.file }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(text)
        hasher.combine(file)
    }

    /// One section of a revision file.
    public struct Section: Hashable, Sendable {
        /// The statements, in file order.
        public let statements: [Statement]
        /// Why the revision cannot be downgraded; `nil` if it can.
        public let irreversible: String?
        /// Why programs that do not know the revision cannot work with the upgraded schema; `nil` if they can.
        public let breaking: String?
        /// The revision id from the `-- contract of` comment; `nil` without one. The section must not run while
        /// programs are connected that do not know that revision.
        let contracted: String?
        /// The first error in the section, if any; a section with an error must not be executed.
        public let problem: MalformedRevision?

        /// An empty section, which stands for a section that is absent from the file.
        static let empty = Section(
            statements: [], irreversible: nil, breaking: nil, contracted: nil, problem: nil)

        /// Whether a statement of the section runs outside a transaction.
        var isOutside: Bool { statements.contains { $0.isOutside } }

        /// The statements grouped by transaction, in order.
        var segments: [[Statement]] { statements.transactions(without: \.isOutside) }
    }

    /// One SQL statement of a section.
    public struct Statement: Hashable, Sendable {
        /// The SQL, without the terminating semicolon.
        public let sql: String
        /// The number of the file's line at which the statement begins, from 1.
        public let line: Int
        /// Whether the statement runs outside a transaction.
        public let isOutside: Bool
        /// The data that the statement deletes irrecoverably, from its `-- data loss:` comment; `nil` without one.
        public let dataLoss: String?
        /// The lint rules that are suppressed for the statement, with the reasons.
        public let allowed: [String: String]
        /// How the statement runs in batches; `nil` if it does not.
        let batches: BatchedStatement?

        /// A copy of the statement with different SQL.
        func with(sql: String) -> Statement {
            Statement(
                sql: sql, line: line, isOutside: isOutside, dataLoss: dataLoss, allowed: allowed, batches: batches)
        }
    }
}

extension Array {
    /// The elements grouped by transaction, in order; an element that runs outside a transaction forms a separate
    /// group.
    func transactions(without isOutside: (Element) -> Bool) -> [[Element]] {
        reduce(into: []) { transactions, element in
            if !isOutside(element), transactions.last?.last.map(isOutside) == false {
                transactions[transactions.count - 1].append(element)
            } else {
                transactions.append([element])
            }
        }
    }
}

/// A syntax error in a revision file.
public struct MalformedRevision: Error, Hashable, CustomStringConvertible {
    /// The path of the file.
    let file: String
    /// The number of the malformed line, from 1.
    let line: Int
    let reason: String

    public var description: String { "\(file):\(line): \(reason)" }
}
