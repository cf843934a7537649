/// A key under which a client creates something once, however often it asks (the Idempotency-Key header field).
public struct IdempotencyKey: Hashable, Sendable {
    /// What the key is for: a route.
    public var scope: String
    /// The client's name for the request.
    public var key: String
    /// The request; its hash is kept, so that another one under the same key is refused.
    public var request: [UInt8]

    /// Makes a key.
    public init(scope: String, key: String, request: [UInt8]) {
        (self.scope, self.key, self.request) = (scope, key, request)
    }

    /// How many seconds a key is kept: a day.
    public static let lifetime: Int64 = 86_400

    fileprivate var isThis: Fragment { Fragment(.text("scope = "), .value(scope), .text(" AND key = "), .value(key)) }
    fileprivate var hash: Fragment { Fragment(.text("sha256("), .value(Bytes(request)), .text(")")) }
}

extension Tabular {
    /// The statement that inserts rows under a key, once: table `idempotency_key` keeps what was inserted for 24 hours.
    ///
    /// It returns rows of this table, each with whether the request is the one that the key was first used for: those that it made, or
    /// those that were made first. It returns none while another transaction uses the key, and fails on `idempotency_key_pkey` when
    /// one has used it since this statement began. Keys that have expired are deleted on the way, a few each time.
    public static func insert(many rows: [[Assignment<Self>]], once key: IdempotencyKey) -> Statement {
        let parts: [(String, Fragment)] = [
            ("claim AS MATERIALIZED", claim(key)), ("kept AS", kept(key)), ("purged AS", purge(key)),
            ("swept AS", sweep(key)), ("made AS", insertion(of: rows, where: isFirst)), ("stored AS", store(key)),
        ]
        let list = Fragment(parts.map { Fragment($0 + " ") + $1.parenthesized }, separator: ", ")
        let answered = definition.columns.map { "answered.\($0.reference)" }.joined(separator: ", ")
        return Statement(
            Fragment("WITH ") + list
                + " SELECT \(definition.columnList), true FROM made UNION ALL SELECT \(answered), is_same "
                + "FROM kept, jsonb_populate_recordset(NULL::\(definition.reference), answer) AS answered")
    }

    private static func claim(_ key: IdempotencyKey) -> Fragment {
        Fragment(
            .text("SELECT pg_try_advisory_xact_lock(hashtextextended("), .value(key.scope + " " + key.key),
            .text(", 0)) AS is_free"))
    }

    private static func kept(_ key: IdempotencyKey) -> Fragment {
        Fragment("SELECT answer, request = ") + key.hash + " AS is_same FROM idempotency_key WHERE " + key.isThis
            + " AND NOT \(isExpired)"
    }

    private static func purge(_ key: IdempotencyKey) -> Fragment {
        Fragment("DELETE FROM idempotency_key WHERE ") + key.isThis
            + " AND \(isExpired) AND (SELECT is_free FROM claim) RETURNING key"
    }

    private static func sweep(_ key: IdempotencyKey) -> Fragment {
        Fragment(
            "DELETE FROM idempotency_key WHERE ctid = ANY(ARRAY(SELECT ctid FROM idempotency_key WHERE \(isExpired) AND NOT ("
        )
            + key.isThis + ") ORDER BY created_on LIMIT 10 FOR UPDATE SKIP LOCKED))"
    }

    /// Looks at what was purged first, so that the same key is gone before it is stored again.
    private static func store(_ key: IdempotencyKey) -> Fragment {
        Fragment(.text("INSERT INTO idempotency_key (scope, key, request, answer) SELECT "), .value(key.scope))
            + Fragment(.text(", "), .value(key.key), .text(", ")) + key.hash
            + ", jsonb_agg(to_jsonb(made)) FROM made WHERE (SELECT count(*) FROM purged) >= 0 HAVING count(*) > 0"
    }

    private static var isExpired: String {
        "created_on <= now() - interval '\(IdempotencyKey.lifetime) seconds'"
    }

    private static var isFirst: String { "(SELECT is_free FROM claim) AND NOT EXISTS (SELECT FROM kept)" }

    private static func insertion(of rows: [[Assignment<Self>]], where condition: String) -> Fragment {
        insertion(of: rows) + " WHERE \(condition)" + returning
    }
}
