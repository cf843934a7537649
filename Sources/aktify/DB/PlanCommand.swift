import ArgumentParser
import Migrations
import Web

/// `aktify db plan`: shows what an upgrade would do to a database in use.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show, for each pending statement, its locks, table rewrites and scans, blockers and data loss.",
        discussion: """
            The pending statements are run, and observed, in a scratch database with sample rows. Table sizes, row \
            counts and blocking sessions are those of the configured database, in which nothing is changed. The exit \
            status is 1 when a statement fails, and 0 otherwise, even when nothing is pending.
            """)

    @OptionGroup var schema: SchemaOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print Markdown, for example for a pull request.")
    var markdown = false

    @Argument(help: "The revision to upgrade to.")
    var revision = "head"

    func validate() throws {
        guard !json || !markdown else { throw ValidationError("--json and --markdown are mutually exclusive.") }
    }

    func run() throws {
        let config = try loadSchemaConfig()
        let planner = Planner(graph: try schema.scripts.graph(), configuration: config.database)
        let plan = try runCancellably { [revision] in try await planner.plan(to: revision) }
        if json {
            printJSON { json in
                json.member("doubt", plan.doubt)
                json.member("problem", plan.problem)
                json.member("revisions", plan.revisions)
                json.member(
                    "sizes", plan.sizes.sorted { $0.key < $1.key }.map { NamedSize(name: $0.key, size: $0.value) })
                json.member("summary", plan.summary)
            }
        } else {
            print(markdown ? plan.markdown : plan.text)
        }
        if plan.problem != nil { throw ExitCode(1) }
    }
}

/// A table or an index, with its size.
private struct NamedSize: JSONWritable {
    let name: String
    let size: RelationSize

    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("bytes", size.bytes)
        json.member("index_bytes", size.indexBytes)
        json.member("name", name)
        json.member("rows", size.rows)
        json.endObject()
    }
}

extension PlannedRevision: JSONWritable {
    public func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("file", file)
        json.member("holds", holds)
        json.member("id", id)
        json.member("message", message)
        json.member("obstacle", obstacle)
        json.member("resumption", resumption)
        json.member("statements", statements)
        json.endObject()
    }
}

extension PlannedResumption: JSONWritable {
    public func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("key", key)
        json.member("line", line.map { Int64($0) })
        json.member("rows_done", rows)
        json.endObject()
    }
}

extension PlannedRevision.Hold: JSONWritable {
    public func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("estimated_ms", duration?.wholeMilliseconds)
        json.member("mode", lock.mode.name)
        json.member("relation", lock.relation)
        json.endObject()
    }
}

extension PlannedStatement: JSONWritable {
    public func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("batches", batches)
        json.member("doubt", doubt)
        json.member("effects", effects)
        json.member("estimated_ms", estimate?.wholeMilliseconds)
        json.member("failure", failure)
        json.member("line", line)
        json.member("lint", findings.map { "\($0)" })
        json.member("locks", locks)
        json.member("losses", losses)
        json.member("observed", isObserved)
        json.member("outside_transaction", isOutside)
        json.member("sql", sql)
        json.member("unique_key", hasUniqueKey)
        json.member("waiting", waiting?.text)
        json.member("waits_for", waitsFor)
        json.endObject()
    }
}

extension PlannedLock: JSONWritable {
    public func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("mode", mode.name)
        json.member("relation", relation)
        json.member("waiting", mode.waiting.text)
        json.endObject()
    }
}

extension PlannedEffect: JSONWritable {
    public func write(to json: inout JSONWriter) {
        json.beginObject()
        switch self {
        case .rewrites: json.member("effect", "rewrite")
        case .truncates: json.member("effect", "truncate")
        case .scans: json.member("effect", "scan")
        case .changesRows: json.member("effect", "change_rows")
        case .builds(let index, _):
            json.member("effect", "build_index")
            json.member("index", index)
        }
        json.member("table", table)
        json.endObject()
    }
}

extension PlannedLoss: JSONWritable {
    public func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("is_estimate", isEstimate)
        json.member("rows", rows)
        json.member("text", text)
        json.endObject()
    }
}

extension LockHolder: JSONWritable {
    public func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("application", application)
        json.member("mode", mode?.name)
        json.member("pid", pid.map { Int64($0) })
        json.member("relation", relation)
        json.member("state", state)
        json.member("transaction_age_s", age)
        json.member("user", user)
        json.endObject()
    }
}

extension Duration {
    fileprivate var wholeMilliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
