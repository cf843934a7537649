import EventLoop
import ORM
import SQL
import TestSupport
import Testing

@testable import AktifyAPI

/// References and unique values, in Postgres and in memory: which row violates a constraint, and what happens to rows
/// when the row that they reference is deleted.
@Suite struct ReferenceTests {
    private func with(
        _ kind: RepositoryTests.Kind, _ body: @escaping @Sendable (Repositories) async throws -> Void
    ) throws {
        switch kind {
        case .inMemory: try Loop.run { try await body(.inMemory()) }
        case .postgres:
            let database = try migratedDatabase()
            let tables = [
                Owner.definition, Part.definition, Piece.definition, Node.definition, Memo.definition, Hold.definition,
            ]
            try database.sql(tables.flatMap(\.creation).joined(separator: ";"))
            let configuration = try database.configuration()
            try Loop.run { try await body(.postgres(Database(configuration))) }
        }
    }

    @Test(arguments: RepositoryTests.Kind.allCases)
    func `of many rows, the one that violates a constraint is reported`(kind: RepositoryTests.Kind) throws {
        try with(kind) { repositories in
            let (owners, parts) = (repositories.of(Owner.self), repositories.of(Part.self))
            func named(_ names: String...) -> [Owner.ColumnValues] { names.map { [Owner.columns.name.set(to: $0)] } }
            func owned(_ ids: Int64...) -> [Part.ColumnValues] { ids.map { [Part.columns.ownerID.set(to: $0)] } }
            _ = try await owners.insert(many: named("a", "b) already"))
            for (names, index) in [
                (named("c", "b) already", "d"), 1), (named("c", "d", "e", "c"), 3), (named("a"), 0),
                (named("e\u{301}", "x", "e\u{301}", "\u{e9}"), 2),
            ] {
                await #expect(throws: ConstraintViolation(.duplicate, column: "name", index: index)) {
                    try await owners.insert(many: names)
                }
                await #expect(throws: ConstraintViolation(.duplicate, column: "name", index: index)) {
                    try await owners.insert(
                        many: names, once: IdempotencyKey(scope: "s", key: "k", request: []), #fileID, #line)
                }
            }
            await #expect(throws: ConstraintViolation(.missingReference, column: "owner_id", index: 2)) {
                try await parts.insert(many: owned(1, 2, 9))
            }
            await #expect(throws: ConstraintViolation(.duplicate, column: "name")) {
                try await owners.update(1, [Owner.columns.name.set(to: "b) already")])
            }
        }
    }

    @Test func `a missing reference is reported whatever the constraint's name is`() throws {
        let database = try migratedDatabase()
        let creation = [Owner.definition, Part.definition].flatMap(\.creation).joined(separator: ";")
        try database.sql("\(creation); ALTER TABLE part RENAME CONSTRAINT part_owner_id_fkey TO owned")
        let configuration = try database.configuration()
        try Loop.run {
            let repositories = Repositories.postgres(Database(configuration))
            let (owners, parts) = (repositories.of(Owner.self), repositories.of(Part.self))
            _ = try await owners.insert([Owner.columns.name.set(to: "a")])
            await #expect(throws: ConstraintViolation(.missingReference)) {
                try await parts.insert([Part.columns.ownerID.set(to: 9)])
            }
            _ = try await parts.insert([Part.columns.ownerID.set(to: 1)])
            await #expect(throws: ConstraintViolation(.missingReference)) {
                try await parts.update(2, [Part.columns.ownerID.set(to: 9)])
            }
            await #expect(throws: ConstraintViolation(.referenced)) {
                try await owners.update(1, [Owner.columns.id.set(to: 9)])
            }
        }
    }

    @Test(arguments: RepositoryTests.Kind.allCases)
    func `deletes cascade through several tables`(kind: RepositoryTests.Kind) throws {
        try with(kind) { repositories in
            let (owners, parts) = (repositories.of(Owner.self), repositories.of(Part.self))
            let pieces = repositories.of(Piece.self)
            _ = try await owners.insert(many: [[Owner.columns.name.set(to: "a")], [Owner.columns.name.set(to: "b")]])
            _ = try await parts.insert(many: [[Part.columns.ownerID.set(to: 1)], [Part.columns.ownerID.set(to: 2)]])
            _ = try await pieces.insert(many: [[Piece.columns.partID.set(to: 1)], [Piece.columns.partID.set(to: 2)]])
            _ = try await owners.delete(1)
            #expect(try await parts.all(Part.all).map(\.id) == [2])
            #expect(try await pieces.all(Piece.all).map(\.id) == [2])
            #expect(try await owners.all(Owner.all).map(\.id) == [2])
        }
    }

    @Test(arguments: RepositoryTests.Kind.allCases)
    func `rows of one table may reference each other`(kind: RepositoryTests.Kind) throws {
        try with(kind) { repositories in
            let nodes = repositories.of(Node.self)
            func node(_ id: Int64, _ parent: Int64?) -> Node.ColumnValues {
                [Node.columns.id.set(to: id), Node.columns.parentID.set(to: parent)]
            }
            _ = try await nodes.insert(many: [node(1, nil), node(2, 1), node(3, 3)])
            #expect(try await nodes.all(Node.where { $0.parentID == nil }).map(\.id) == [1])
            #expect(try await nodes.count(Node.where { $0.parentID != nil }) == 2)
            #expect(try await nodes.count(Node.where { !($0.parentID == nil) }) == 2)
            let refused = try await nodes.delete(3, if: Node.columns.parentID == nil, #fileID, #line)
            #expect(refused.row == nil)
            let parent: Int64? = nil
            let kept = try await nodes.update(
                1, [Node.columns.parentID.set(to: 1)], if: Node.columns.parentID != parent, #fileID, #line)
            #expect(kept.row == nil)
            await #expect(throws: ConstraintViolation(.referenced)) { try await nodes.delete(1) }
            await #expect(throws: ConstraintViolation(.referenced)) {
                try await nodes.delete(all: Node.where { $0.id == 1 }, #fileID, #line)
            }
            _ = try await nodes.delete(all: Node.where { $0.id <= 2 }, #fileID, #line)
            #expect(try await nodes.delete(3) != nil)
            await #expect(throws: ConstraintViolation(.missingReference, column: "parent_id", index: 0)) {
                try await nodes.insert(many: [node(4, 9)])
            }
        }
    }

    @Test(arguments: RepositoryTests.Kind.allCases)
    func `rows whose reference is set to NULL are kept`(kind: RepositoryTests.Kind) throws {
        try with(kind) { repositories in
            let (owners, memos) = (repositories.of(Owner.self), repositories.of(Memo.self))
            _ = try await owners.insert(many: [[Owner.columns.name.set(to: "a")], [Owner.columns.name.set(to: "b")]])
            _ = try await memos.insert(many: [[Memo.columns.ownerID.set(to: 1)], [Memo.columns.ownerID.set(to: 2)]])
            _ = try await owners.delete(1)
            #expect(try await memos.all(Memo.all.ordered { [$0.id.ascending] }).map(\.ownerID) == [nil, 2])
        }
    }

    @Test(arguments: RepositoryTests.Kind.allCases)
    func `one restricting row prevents the whole delete`(kind: RepositoryTests.Kind) throws {
        try with(kind) { repositories in
            let (owners, parts) = (repositories.of(Owner.self), repositories.of(Part.self))
            let (memos, holds) = (repositories.of(Memo.self), repositories.of(Hold.self))
            _ = try await owners.insert([Owner.columns.name.set(to: "a")])
            _ = try await parts.insert([Part.columns.ownerID.set(to: 1)])
            _ = try await memos.insert([Memo.columns.ownerID.set(to: 1)])
            _ = try await holds.insert([Hold.columns.partID.set(to: 1)])
            await #expect(throws: ConstraintViolation(.referenced)) { try await owners.delete(1) }
            #expect(try await parts.count(Part.all) == 1)
            #expect(try await memos.all(Memo.all).map(\.ownerID) == [1])
            _ = try await holds.delete(1)
            #expect(try await owners.delete(1) != nil)
        }
    }
}

private struct Owner: Model {
    var id: Int64
    var name: String

    struct Columns: Sendable {
        let id = Column(\Owner.id, "id", .primaryKey, default: .serial)
        let name = Column(\Owner.name, "name", .length(1...20), .unique)
    }

    static let columns = Columns()
    static let primaryKey = columns.id
    static let table = Table("owner", columns.id, columns.name, make: Owner.init)
}

private struct Part: Model {
    var id: Int64
    var ownerID: Int64

    struct Columns: Sendable {
        let id = Column(\Part.id, "id", .primaryKey, default: .serial)
        let ownerID = Column(\Part.ownerID, "owner_id", references: Owner.self, onDelete: .cascade)
    }

    static let columns = Columns()
    static let primaryKey = columns.id
    static let table = Table("part", columns.id, columns.ownerID, make: Part.init)
}

private struct Piece: Model {
    var id: Int64
    var partID: Int64

    struct Columns: Sendable {
        let id = Column(\Piece.id, "id", .primaryKey, default: .serial)
        let partID = Column(\Piece.partID, "part_id", references: Part.self, onDelete: .cascade)
    }

    static let columns = Columns()
    static let primaryKey = columns.id
    static let table = Table("piece", columns.id, columns.partID, make: Piece.init)
}

private struct Memo: Model {
    var id: Int64
    var ownerID: Int64?

    struct Columns: Sendable {
        let id = Column(\Memo.id, "id", .primaryKey, default: .serial)
        let ownerID = Column(\Memo.ownerID, "owner_id", references: Owner.self, onDelete: .setNull)
    }

    static let columns = Columns()
    static let primaryKey = columns.id
    static let table = Table("memo", columns.id, columns.ownerID, make: Memo.init)
}

private struct Node: Model {
    var id: Int64
    var parentID: Int64?

    struct Columns: Sendable {
        let id = Column(\Node.id, "id", .primaryKey)
        let parentID = Column(\Node.parentID, "parent_id", references: NodeKey.self)
    }

    static let columns = Columns()
    static let primaryKey = columns.id
    static let table = Table("node", columns.id, columns.parentID, make: Node.init)
}

/// The table of `Node`, with its key only. The column `parent_id` of `Node` references this type instead of `Node`,
/// since `Node.columns` is still being initialized when the column is created.
private struct NodeKey: Tabular {
    var id: Int64

    struct Columns: Sendable { let id = Column(\NodeKey.id, "id", .primaryKey) }

    static let columns = Columns()
    static let definition = TableDefinition("node", columns: [columns.id.definition])
}

private struct Hold: Model {
    var id: Int64
    var partID: Int64

    struct Columns: Sendable {
        let id = Column(\Hold.id, "id", .primaryKey, default: .serial)
        let partID = Column(\Hold.partID, "part_id", references: Part.self)
    }

    static let columns = Columns()
    static let primaryKey = columns.id
    static let table = Table("hold", columns.id, columns.partID, make: Hold.init)
}
