import EventLoop
import Foundation
import ORM
import Postgres
import SQL
import TestSupport
import Testing

@testable import AktifyAPI

/// Streams of any number of rows, in chunks.
@Suite struct StreamTests {
    struct Stop: Error {}

    private let test: TestDatabase

    init() throws { test = try migratedDatabase() }

    private static let byID = Campaign.all.ordered { [$0.id.ascending] }

    /// Inserts rows that are numbered from 1, with a description of `bytes` bytes.
    private func insert(_ count: Int, bytes: Int = 0) throws {
        try test.sql(
            "INSERT INTO campaign (name, description) SELECT n, repeat('x', \(bytes)) FROM generate_series(1, \(count)) n"
        )
    }

    /// Runs `body` with a database, and waits until the connections of its streams are idle.
    private func with(_ body: @escaping @Sendable (Database) async throws -> Void) throws {
        let configuration = try test.configuration()
        try Loop.run {
            let database = Database(configuration)
            try await body(database)
            try await Self.rest(database)
        }
    }

    private static func rest(_ database: Database) async throws {
        for _ in 0..<200 where database.streamStatistics?.leased != 0 {
            try await Loop.current?.sleep(for: .milliseconds(10))
        }
        #expect(database.streamStatistics?.leased == 0)
    }

    private static func sizes(_ database: Database, _ select: Select<Campaign> = byID) async throws -> [Int] {
        var sizes: [Int] = []
        try await database.stream(select) { sizes.append($0.count) }
        return sizes
    }

    private static func total(_ database: Database, _ select: Select<Campaign> = byID) async throws -> Int {
        try await sizes(database, select).reduce(0, +)
    }

    /// Starts a stream of all campaigns, whose body waits until `gate` opens.
    /// - Returns: a task whose value is the number of rows.
    private static func held(_ database: Database, by gate: Waiter<Void>, on loop: Loop) -> Task<Int, any Error> {
        Task(executorPreference: loop) {
            var count = 0
            try await database.stream(byID) {
                count += $0.count
                try await gate.value()
            }
            return count
        }
    }

    /// Waits until `count` streams have a connection.
    private static func wait(_ database: Database, leased count: Int) async throws {
        for _ in 0..<500 where database.streamStatistics?.leased != count {
            try await Loop.current?.sleep(for: .milliseconds(10))
        }
        try #require(database.streamStatistics?.leased == count)
    }

    // MARK: Rows

    @Test(arguments: [1, 3, 4, 5, 20, 5000]) func `all rows are received in order, and once`(count: Int) throws {
        try insert(count)
        try with { database in
            var names: [String] = []
            try await database.stream(Self.byID) { names += $0.map(\.name) }
            #expect(names == (1...count).map(String.init))
        }
    }

    @Test func `the first chunks have few rows, later ones up to 256 KiB`() throws {
        try insert(5000, bytes: 1000)
        try with { database in
            let sizes = try await Self.sizes(database)
            #expect(sizes.prefix(3) == [4, 16, 64] && sizes.dropFirst(3).allSatisfy { $0 <= 256 })
            #expect(sizes.reduce(0, +) == 5000)
        }
    }

    @Test func `large rows are received one by one`() throws {
        try insert(7, bytes: 1 << 20)
        try with { database in
            let sizes = try await Self.sizes(database)
            #expect(sizes == [4, 1, 1, 1])
        }
    }

    @Test func `without rows there is no chunk`() throws {
        try with { database in
            let sizes = try await Self.sizes(database)
            #expect(sizes == [])
        }
    }

    @Test func `parameters of the selection work`() throws {
        try insert(1000)
        try with { database in
            let select = Campaign.where { $0.name > "5" && $0.isActive == true }.limit(300)
            let total = try await Self.total(database, select)
            #expect(total == 300)
        }
    }

    @Test func `streams of several models use one connection`() throws {
        try insert(40)
        try test.sql("CREATE TABLE tag (id bigint PRIMARY KEY, weight float8 NOT NULL)")
        try test.sql("INSERT INTO tag SELECT n, n / 2.0 FROM generate_series(1, 40) n")
        try with { database in
            for _ in 0..<2 {
                var weights: [Double] = []
                try await database.stream(Tag.all.ordered { [$0.id.ascending] }) { weights += $0.map(\.weight) }
                #expect(weights == (1...40).map { Double($0) / 2 })
                #expect(try await Self.total(database) == 40)
            }
            #expect(database.streamStatistics?.open == 1)
        }
    }

    @Test func `a stream works without prepared statements`() throws {
        try insert(100)
        var configuration = try test.configuration()
        configuration.prepares = false
        try Loop.run { [configuration] in
            let total = try await Self.total(Database(configuration), Campaign.where { $0.id > 10 })
            #expect(total == 90)
        }
    }

    @Test func `rows that others commit meanwhile are not seen`() throws {
        try insert(1000)
        let test = test
        try with { database in
            var names: [String] = []
            try await database.stream(Self.byID) {
                if names.isEmpty {
                    try test.sql("DELETE FROM campaign WHERE id % 2 = 0; INSERT INTO campaign (name) VALUES ('new')")
                }
                names += $0.map(\.name)
            }
            #expect(names == (1...1000).map(String.init))
        }
    }

    // MARK: Without a pool

    @Test func `a stream in a transaction sees the transaction's writes, and arrives in one chunk`() throws {
        try insert(10)
        try with { database in
            try await database.transaction { inner in
                _ = try await inner.insert(Campaign.ColumnValues(name: "new"))
                #expect(try await Self.sizes(inner) == [11])
            }
            #expect(database.streamStatistics?.open == 0)
        }
    }

    @Test func `without a database there are no rows, and the statement is listed`() throws {
        try Loop.run {
            let (sizes, statements) = try await recordingQueries { try await Self.sizes(.dry) }
            #expect(sizes == [])
            #expect(statements.map(\.statement.text) == [Self.byID.statement.text])
        }
    }

    @Test func `a stream is explained`() throws {
        try insert(10)
        let configuration = test.directConfiguration()
        try Loop.run {
            let (sizes, plans) = try await Database.explaining(configuration) { try await Self.sizes($0) }
            #expect(sizes == [10] && plans.count == 1 && plans[0].error == nil)
        }
    }

    // MARK: Recording

    @Test func `a stream is recorded as one statement, which can be checked`() throws {
        try insert(1000)
        let test = test
        try with { database in
            let select = Campaign.where { $0.id > 10 }.ordered { [$0.id.ascending] }
            let (_, statements) = try await recordingQueries { try await Self.sizes(database, select) }
            let statement = try #require(statements.first)
            #expect(statements.count == 1 && statement.rows == 990 && statement.error == nil)
            #expect(statement.statement.text == "DECLARE rows NO SCROLL CURSOR FOR \(select.statement.text)")
            #expect(statement.executing > .zero)
            try await StatementCheck(test.directConfiguration())(statement)
        }
    }

    @Test func `the statement check of a stream finds a missing index`() throws {
        let test = test
        try with { database in
            let select = Campaign.where { $0.description == "x" }
            let (_, statements) = try await recordingQueries { try await Self.sizes(database, select) }
            await #expect(throws: StatementCheck.Failed.self) {
                try await StatementCheck(test.directConfiguration())(statements[0])
            }
        }
    }

    @Test func `a stream that fails is recorded with its error and the rows received`() throws {
        try insert(1000)
        try with { database in
            let recorder = QueryRecorder()
            await QueryRecorder.$current.withValue(recorder) {
                await #expect(throws: Stop.self) { try await database.stream(Self.byID) { _ in throw Stop() } }
            }
            #expect(recorder.statements.map(\.error) == ["Stop"] && recorder.statements.map(\.rows) == [4])
        }
    }

    // MARK: Connections

    @Test func `while streams are open, writes, reads and transactions continue, and another stream waits`() throws {
        try insert(1000)
        try with { database in
            let loop = try #require(Loop.current)
            let gates = (0..<4).map { _ in Waiter<Void>(on: loop) }
            let streams = gates.map { Self.held(database, by: $0, on: loop) }
            try await Self.wait(database, leased: 4)
            let fifth = Task(executorPreference: loop) { try await Self.total(database) }
            _ = try await database.insert(Campaign.ColumnValues(name: "a"))
            try await database.transaction { _ = try await $0.insert(Campaign.ColumnValues(name: "b")) }
            #expect(try await database.count(Campaign.all) == 1002)
            #expect(database.streamStatistics?.waiting == 1)
            gates[0].resume(returning: ())
            #expect(try await fifth.value == 1002)
            for gate in gates.dropFirst() { gate.resume(returning: ()) }
            for stream in streams { #expect(try await stream.value == 1000) }
        }
    }

    @Test func `the last chunk needs no connection`() throws {
        try insert(3)
        try with { database in
            try await database.stream(Self.byID) { _ in #expect(database.streamStatistics?.idle == 1) }
        }
    }

    @Test(.ownSession) func `an error of the body rolls back, and the connection is reused by the next stream`() throws
    {
        try insert(1000)
        let test = test
        try with { database in
            _ = try await Self.sizes(database)
            let before = try test.streamers()
            await #expect(throws: Stop.self) { try await database.stream(Self.byID) { _ in throw Stop() } }
            #expect(database.streamStatistics?.idle == 1)
            #expect(try await Self.total(database) == 1000)
            #expect(try test.streamers() == before && !before.isEmpty)
        }
    }

    @Test func `a stream whose task is cancelled ends soon, and its connection is reused by the next one`() throws {
        try insert(1000)
        try with { database in
            let loop = try #require(Loop.current)
            let stream = Self.held(database, by: Waiter<Void>(on: loop), on: loop)
            try await Self.wait(database, leased: 1)
            let start = Instant.now
            stream.cancel()
            await #expect(throws: CancellationError.self) { try await stream.value }
            #expect(Instant.now.duration(since: start) < .seconds(1))
            try await Self.rest(database)
            #expect(try await Self.total(database) == 1000)
            #expect(database.streamStatistics?.open == 1)
        }
    }

    @Test func `a stream that is cancelled while Postgres executes it ends soon`() throws {
        try insert(10)
        try test.sql("ALTER TABLE campaign RENAME TO slow")
        try test.sql("CREATE VIEW campaign AS SELECT slow.* FROM slow, pg_sleep(1.5)")
        let test = test
        try with { database in
            let loop = try #require(Loop.current)
            let stream = Task(executorPreference: loop) { try await Self.sizes(database) }
            try await loop.offload { try waitUntil("it sleeps") { try test.sleepers() == 1 } }
            let start = Instant.now
            stream.cancel()
            await #expect(throws: PostgresError.self) { try await stream.value }
            #expect(Instant.now.duration(since: start) < .seconds(1))
        }
    }

    @Test(.ownSession) func `a connection that is lost in the middle of a stream is an error`() throws {
        try insert(1000)
        let test = test
        try with { database in
            var count = 0
            await #expect(throws: PostgresError.self) {
                try await database.stream(Self.byID) {
                    count += $0.count
                    if count >= 20 { try test.endStreamers() }
                }
            }
            let total = try await Self.total(database)
            #expect((20..<1000).contains(count) && total == 1000)
        }
    }

    @Test(.ownSession) func `a connection that is lost before the first chunk is replaced, once`() throws {
        try insert(10)
        try test.sql("ALTER TABLE campaign RENAME TO slow")
        try test.sql("CREATE VIEW campaign AS SELECT slow.* FROM slow, pg_sleep(1)")
        let test = test
        try with { database in
            let loop = try #require(Loop.current)
            for losses in 1...2 {
                let stream = Task(executorPreference: loop) { try await Self.total(database) }
                for _ in 0..<losses {
                    try await loop.offload { try waitUntil("it sleeps") { try test.terminateSleepers() == 1 } }
                }
                let count = try? await stream.value
                #expect(count == (losses == 1 ? 10 : nil))
            }
        }
    }

    @Test(.ownSession) func `a connection that was closed while idle does not fail a stream`() throws {
        try insert(10)
        let test = test
        try with { database in
            _ = try await Self.sizes(database)
            try test.endStreamers()
            #expect(try await Self.total(database) == 10)
        }
    }

    // MARK: Memory

    @Test(.disabled(if: isSanitized), arguments: [Load(rows: 200_000, bytes: 100), Load(rows: 200, bytes: 1 << 20)])
    func `memory usage does not depend on the number of rows`(load: Load) async throws {
        try insert(load.rows, bytes: load.bytes)
        let place = Place(database: test.name, host: test.socketDirectory)
        // In a separate process, since other tests of this process use memory, too.
        await #expect(processExitsWith: .success) { [load = load as Load, place = place as Place] in
            let (count, growth) = try Loop.run { try await StreamTests.growth(Database(place.configuration)) }
            guard count == load.rows, growth < 16 << 20 else { fatalError("\(count) rows took \(growth >> 10) KiB") }
        }
    }

    /// Reads all rows.
    /// - Returns: their number, and the growth of resident memory from before the stream to its peak, in bytes.
    private static func growth(_ database: Database) async throws -> (Int, Int) {
        _ = try await database.all(byID.limit(1))
        let before = resident()
        var (count, most) = (0, 0)
        try await database.stream(byID) {
            count += $0.count
            most = max(most, resident())
        }
        return (count, most - before)
    }

    /// The resident memory of this process, in bytes.
    private static func resident() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Whether AddressSanitizer or ThreadSanitizer is active. Their allocators retain freed memory.
    private static let isSanitized = dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil

    struct Load: Codable, Sendable { let rows, bytes: Int }

    struct Place: Codable, Sendable {
        let database, host: String

        var configuration: DatabaseConfiguration {
            DatabaseConfiguration(
                server: .parts(host: host, port: 5432, user: "postgres", password: "", database: database))
        }
    }
}

/// A model whose columns differ from those of `Campaign`.
private struct Tag: Model {
    var id: Int64
    var weight: Double

    struct Columns: Sendable {
        let id = Column(\Tag.id, "id", .primaryKey, default: .serial)
        let weight = Column(\Tag.weight, "weight")
    }

    static let columns = Columns()
    static let primaryKey = columns.id
    static let table = Table("tag", columns.id, columns.weight, make: Tag.init)
}

extension TestDatabase {
    private static let streams = "datname = current_database() AND query ~ '^(FETCH|COMMIT|ROLLBACK)'"

    /// The process ids, separated by commas, of the sessions whose current or last statement belongs to a stream.
    fileprivate func streamers() throws -> String {
        try sql("SELECT string_agg(pid::text, ',' ORDER BY pid) FROM pg_stat_activity WHERE \(TestDatabase.streams)")
    }

    /// Terminates the sessions whose current or last statement belongs to a stream.
    fileprivate func endStreamers() throws {
        try sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE \(TestDatabase.streams)")
    }
}
