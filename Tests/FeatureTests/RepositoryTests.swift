import EventLoop
import ORM
import SQL
import TestSupport
import Testing

@testable import AktifyAPI

/// The same tests run against the in-memory and the Postgres repository, so that their behaviour cannot diverge.
@Suite struct RepositoryTests {
    typealias Kind = RepositoryKind

    /// Creates campaigns with these names in an empty repository, and passes the repository and their ids to `body`.
    /// Campaigns with one-letter names are inactive.
    private func with(
        _ kind: Kind, _ names: [String],
        _ body: @escaping @Sendable (any Repository<Campaign>, [Int64]) async throws -> Void
    ) throws {
        try kind.with { campaigns in
            let drafts = names.map { Campaign.ColumnValues(name: $0, isActive: $0.count > 1) }
            try await body(campaigns, try await campaigns.insert(many: drafts).map(\.id))
        }
    }

    private static let byID = Campaign.all.ordered { [$0.id.ascending] }

    @Test(arguments: Kind.allCases) func `an empty repository has nothing`(kind: Kind) throws {
        try kind.with { campaigns in
            let (all, first, count) = (
                try await campaigns.all(Self.byID), try await campaigns.find(1), try await campaigns.count(Self.byID)
            )
            #expect(all.isEmpty && first == nil && count == 0)
        }
    }

    @Test(arguments: Kind.allCases) func `an inserted row is found, as insert returned it`(kind: Kind) throws {
        try kind.with { campaigns in
            let drafts = [
                Campaign.ColumnValues(name: "é😀\"\\"),
                Campaign.ColumnValues(name: String(repeating: "x", count: 255), description: "d", isActive: false),
            ]
            for draft in drafts {
                let added = try await campaigns.insert(draft)
                #expect(added.name == draft.value(of: Campaign.columns.name))
                #expect(added.description == draft.value(of: Campaign.columns.description))
                #expect(
                    added.isActive == draft.value(of: Campaign.columns.isActive) && added.createdOn == added.updatedOn)
                let found = try await campaigns.find(added.id)
                #expect(found == added)
            }
        }
    }

    @Test(arguments: Kind.allCases) func `many rows are inserted in order, and inserting none inserts none`(kind: Kind)
        throws
    {
        try kind.with { campaigns in
            let drafts = (0..<20).map { Campaign.ColumnValues(name: "\($0)") }
            let added = try await campaigns.insert(many: drafts)
            #expect(added.map(\.name) == drafts.map { $0.value(of: Campaign.columns.name) })
            #expect(added.map(\.id) == added.map(\.id).sorted() && Set(added.map(\.id)).count == 20)
            let all = try await campaigns.all(Self.byID)
            #expect(all == added)
            let none = try await campaigns.insert(many: [])
            #expect(none.isEmpty)
        }
    }

    @Test(arguments: Kind.allCases) func `inserting none once inserts none, and does not use the key`(kind: Kind)
        throws
    {
        try kind.with { campaigns in
            for name in ["", "One"] {
                let key = IdempotencyKey(scope: "s", key: "k", request: Array(name.utf8))
                let drafts = name.isEmpty ? [] : [Campaign.ColumnValues(name: name)]
                let outcome = try await campaigns.insert(many: drafts, once: key, #fileID, #line)
                guard case .rows(let rows) = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
                #expect(rows.count == drafts.count)
            }
        }
    }

    @Test(arguments: Kind.allCases) func `of concurrent changes that require the same version exactly one is made`(
        kind: Kind
    ) throws {
        try with(kind, ["One"]) { campaigns, ids in
            let made = try await withThrowingTaskGroup(of: Bool.self) { group in
                for name in ["a", "b", "c", "d"] {
                    group.addTask {
                        try await campaigns.update(
                            ids[0], [Campaign.columns.name.set(to: name)], if: Campaign.columns.version == 1, #fileID,
                            #line
                        ).row != nil
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(made == 1)
        }
    }

    @Test(arguments: Kind.allCases) func `a row without a required value violates a constraint`(kind: Kind) throws {
        try kind.with { campaigns in
            await #expect(throws: ConstraintViolation(.missingValue, column: "name")) {
                try await campaigns.insert(Campaign.ColumnValues([]))
            }
        }
    }

    @Test(arguments: Kind.allCases) func `an update changes the given columns, and returns the new row`(
        kind: Kind
    ) throws {
        try with(kind, ["One", "Two"]) { campaigns, ids in
            let before = try #require(try await campaigns.find(ids[0]))
            let updated = try #require(
                try await campaigns.update(ids[0], [Campaign.columns.description.set(to: "new")]))
            #expect(updated.description == "new" && updated.name == before.name && updated.id == before.id)
            let (found, other) = (try await campaigns.find(ids[0]), try await campaigns.find(ids[1]))
            #expect(found == updated && other?.description == "")
            let missing = try await campaigns.update(ids[1] + 1, [Campaign.columns.name.set(to: "x")])
            #expect(missing == nil)
        }
    }

    @Test(arguments: Kind.allCases) func `a deleted row is gone, and cannot be deleted again`(kind: Kind) throws {
        try with(kind, ["One", "Two"]) { campaigns, ids in
            let deleted = try await campaigns.delete(ids[0])
            #expect(deleted?.name == "One")
            let (again, found, rest) = (
                try await campaigns.delete(ids[0]), try await campaigns.find(ids[0]), try await campaigns.all(Self.byID)
            )
            #expect(again == nil && found == nil && rest.map(\.id) == [ids[1]])
            let next = try await campaigns.insert(Campaign.ColumnValues(name: "Three"))
            #expect(next.id > ids[1])
        }
    }

    @Test(arguments: Kind.allCases) func `rows are selected`(kind: Kind) throws {
        try with(kind, ["a", "bb", "Bb 100%_", "ccc", "É é"]) { campaigns, ids in
            func places(_ condition: (Campaign.Columns) -> Condition<Campaign>) async throws -> [Int] {
                let select = Self.byID.where(condition)
                let rows = try await campaigns.all(select)
                let count = try await campaigns.count(select)
                #expect(count == rows.count)
                return rows.compactMap { ids.firstIndex(of: $0.id) }
            }
            var found: [[Int]] = []
            found.append(try await places { $0.isActive == false })
            found.append(try await places { $0.id > ids[1] && $0.id <= ids[3] })
            found.append(try await places { $0.id.isIn([ids[0], ids[3], -1]) })
            found.append(try await places { $0.id.isIn([]) })
            found.append(try await places { $0.name.contains("bb") })
            found.append(try await places { $0.name.contains("100%_") })
            found.append(try await places { $0.name.contains("%") })
            found.append(try await places { $0.name.contains("É É") })
            found.append(try await places { $0.name.hasPrefix("bb") })
            found.append(try await places { $0.name.like("%c_") || $0.name == "a" })
            found.append(try await places { $0.name.ilike("b_%") })
            found.append(try await places { !($0.id < ids[4]) })
            #expect(
                found == [[0], [2, 3], [0, 3], [], [1, 2], [2], [2], [4], [1], [0, 3], [1, 2], [4]])
        }
    }

    @Test(arguments: Kind.allCases) func `pages follow each other without a gap, in every order`(kind: Kind) throws {
        try with(kind, (0..<7).map { "n\($0 % 3)" }) { campaigns, ids in
            let all = try await campaigns.all(Campaign.all.ordered { [$0.name.descending, $0.id.ascending] })
            #expect(all.map(\.id) == [2, 5, 1, 4, 0, 3, 6].map { ids[$0] })
            var (pages, last): ([Int64], Campaign?) = ([], nil)
            repeat {
                let select = Campaign.all.ordered {
                    if let last {
                        [$0.name.descending(after: last.name), $0.id.ascending(after: last.id)]
                    } else {
                        [$0.name.descending, $0.id.ascending]
                    }
                }
                let page = try await campaigns.all(select.limit(2))
                pages += page.map(\.id)
                last = page.last
            } while last != nil
            #expect(pages == all.map(\.id))
        }
    }
}
