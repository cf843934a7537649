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
public struct Revision: Hashable, Sendable {
    /// What names it: in Alembic, 12 hexadecimal digits.
    public let id: String
    /// The revision that must have been applied before; `nil` for the first one.
    public let down: String?
    /// What it is for.
    public let message: String
    /// The file's name.
    public let file: String
    /// The SQL that applies it.
    public let upgrade: Section
    /// The SQL that undoes it.
    public let downgrade: Section

    /// A part of the file.
    public struct Section: Hashable, Sendable {
        /// The SQL.
        public let sql: String
        /// The line in the file that its first line is, from 1.
        public let line: Int
    }
}

/// A file of a revision that is not as it must be.
public struct MalformedRevision: Error, CustomStringConvertible {
    let file: String
    let line: Int
    let reason: String

    public var description: String { "\(file):\(line): \(reason)" }
}
