/// One step of the schema, as its file says: plain SQL with Alembic's header, an upgrade and a downgrade.
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
/// Lines that mean something in a section, outside of strings and other comments:
/// `-- outside transaction` and `-- inside transaction`: where what follows runs (inside, at first);
/// `-- breaking: WHY`, in an upgrade: programs that do not know the revision cannot work with the schema any more;
/// `-- irreversible: WHY`, in a downgrade: it cannot be undone;
/// `-- data loss: WHAT`, before a statement: it deletes what nothing can bring back;
/// `-- lint: allow RULE WHY`, before a statement: it is right all the same;
/// `-- batches of 5000 by id`, before an `UPDATE` or a `DELETE`: it runs outside a transaction, in pieces that are committed;
/// `-- contract of REV`, in an upgrade: it must not run while programs are connected that do not know that revision.
///
/// Two sections more may follow: `-- verify` has queries that must be true once it is applied, `-- fixtures` the rows that it is tried
/// with.
public struct Revision: Hashable, Sendable {
    /// What names it: in Alembic, 12 hexadecimal digits.
    public let id: String
    /// The revisions that must have been applied before: none for a first one, several for one that merges branches.
    public let parents: [String]
    /// What it is for.
    public let message: String
    /// When it was made, as its file says.
    public let created: String
    /// The revisions that were squashed into it; as a rule, none.
    public let replacement: Replacement
    /// The file.
    public let file: String
    /// The file's text, whole, with LF at the ends of its lines and without a byte-order mark.
    public let text: String
    /// Its sections, parsed when somebody first asks for them.
    let body: RevisionBody

    /// What applies it.
    public var upgrade: Section { body[.upgrade] }
    /// What undoes it.
    public var downgrade: Section { body[.downgrade] }
    /// Queries that return true once it is applied.
    public var verification: Section { body[.verify] }
    /// Makes rows that it is tried with.
    var fixtures: Section { body[.fixtures] }
    /// What its checksum is made of: what tries it may change later.
    var textThatRuns: String { body.textThatRuns }
    /// What its file may have been before sections that try it were added, as far as blanks at its end go.
    var textsThatRan: [String] {
        let text = textThatRuns
        guard text != self.text else { return [text] }
        return ["", "\n", "\n\n"].map { text.withoutBlanksAtEnd + $0 }
    }

    /// What is malformed in it, a section at a time.
    var problems: [MalformedRevision] { SectionKind.allCases.compactMap { body[$0].problem } }

    /// What is malformed in it first, if anything is.
    public var problem: MalformedRevision? { problems.first }

    public static func == (one: Revision, other: Revision) -> Bool { one.text == other.text && one.file == other.file }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(text)
        hasher.combine(file)
    }

    /// A part of the file.
    public struct Section: Hashable, Sendable {
        /// The statements, in order.
        public let statements: [Statement]
        /// Why nothing can undo the revision, if so.
        public let irreversible: String?
        /// Why programs that do not know the revision cannot work with the schema, if so.
        public let breaking: String?
        /// The revision that programs must know before it runs, if so.
        let contracted: String?
        /// What is malformed in it first, if anything is: it must not be run.
        public let problem: MalformedRevision?

        static let empty = Section(
            statements: [], irreversible: nil, breaking: nil, contracted: nil, problem: nil)

        /// Whether some of it runs outside a transaction.
        var isOutside: Bool { statements.contains { $0.isOutside } }

        /// The statements in order, those together that are one transaction.
        var segments: [[Statement]] { statements.transactions(without: \.isOutside) }
    }

    /// One statement of the file.
    public struct Statement: Hashable, Sendable {
        /// The SQL, without the semicolon.
        public let sql: String
        /// The line in the file that it begins on, from 1.
        public let line: Int
        /// Whether it must run outside a transaction.
        public let isOutside: Bool
        /// What it deletes for good, if so.
        public let dataLoss: String?
        /// The lint rules that do not hold for it, with the reasons.
        public let allowed: [String: String]
        /// How it runs in pieces, if it does.
        let batches: BatchedStatement?

        /// The statement with other SQL in its place.
        func with(sql: String) -> Statement {
            Statement(
                sql: sql, line: line, isOutside: isOutside, dataLoss: dataLoss, allowed: allowed, batches: batches)
        }
    }
}

extension Array {
    /// The elements in order, those together that are one transaction; one that runs outside stands alone.
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

/// A file of a revision that is not as it must be.
public struct MalformedRevision: Error, Hashable, CustomStringConvertible {
    let file: String
    let line: Int
    let reason: String

    public var description: String { "\(file):\(line): \(reason)" }
}
