/// An idempotency key (the Idempotency-Key header field). A client that sends a request to create something can retry
/// the request with the same key without creating anything twice.
public struct IdempotencyKey: Hashable, Sendable {
    /// The scope within which the key is unique: a route.
    public var scope: String
    /// The key that the client chose for the request.
    public var key: String
    /// The bytes of the request, whose hash is stored, so that a different request with the same key is rejected.
    public var request: [UInt8]

    /// Creates an idempotency key.
    public init(scope: String, key: String, request: [UInt8]) {
        (self.scope, self.key, self.request) = (scope, key, request)
    }

    /// The lifetime of a stored key in seconds: one day.
    public static let lifetime: Int64 = 86_400

    fileprivate var matchesKey: Fragment {
        Fragment(.text("scope = "), .value(scope), .text(" AND key = "), .value(key))
    }
    fileprivate var requestHash: Fragment { Fragment(.text("sha256("), .value(Bytes(request)), .text(")")) }
}

extension Tabular {
    /// Returns a statement that inserts rows at most once per idempotency key. The table `idempotency_key` stores the
    /// inserted rows for 24 hours.
    ///
    /// The statement returns the rows that it inserts or, if the key was used before, the rows that were inserted at
    /// that time; an additional column tells whether the request equals the first one with this key. If another
    /// transaction in progress is using the key for the first time, the statement returns no rows; if such a
    /// transaction has committed since the statement began, the statement violates the constraint
    /// `idempotency_key_pkey`. Each execution also deletes a few expired keys.
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
                + "FROM kept, jsonb_array_elements(answer) AS stored_row, \(row(storedAs: "stored_row")) AS answered")
    }

    private static func claim(_ key: IdempotencyKey) -> Fragment {
        Fragment(
            .text("SELECT pg_try_advisory_xact_lock(hashtextextended("), .value(key.scope + " " + key.key),
            .text(", 0)) AS is_free"))
    }

    private static func kept(_ key: IdempotencyKey) -> Fragment {
        Fragment("SELECT answer, request = ") + key.requestHash + " AS is_same FROM idempotency_key WHERE "
            + key.matchesKey
            + " AND NOT \(isExpired)"
    }

    private static func purge(_ key: IdempotencyKey) -> Fragment {
        Fragment("DELETE FROM idempotency_key WHERE ") + key.matchesKey
            + " AND \(isExpired) AND (SELECT is_free FROM claim) RETURNING key"
    }

    private static func sweep(_ key: IdempotencyKey) -> Fragment {
        Fragment(
            "DELETE FROM idempotency_key WHERE ctid = ANY(ARRAY(SELECT ctid FROM idempotency_key WHERE \(isExpired) AND NOT ("
        )
            + key.matchesKey + ") ORDER BY created_on LIMIT 10 FOR UPDATE SKIP LOCKED))"
    }

    /// Returns the INSERT that stores the inserted rows under the key. The INSERT counts the rows of the CTE `purged`
    /// only so that Postgres first deletes an expired entry with the same key.
    private static func store(_ key: IdempotencyKey) -> Fragment {
        Fragment(.text("INSERT INTO idempotency_key (scope, key, request, answer) SELECT "), .value(key.scope))
            + Fragment(.text(", "), .value(key.key), .text(", ")) + key.requestHash
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
