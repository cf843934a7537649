extension Tabular {
    /// Returns a statement that updates the row that matches `condition` if the row also matches `requirement`. The
    /// statement returns the row in its resulting state and whether the row was updated, or no row if none matches
    /// `condition`. If the row was not updated because of a concurrent change, the row is returned as it was before
    /// that change.
    public static func update(
        _ values: [Assignment<Self>], where condition: Condition<Self>, if requirement: Condition<Self>
    ) -> Statement {
        guarded(change(values, condition && requirement), condition)
    }

    /// Returns a statement that deletes the row that matches `condition` if the row also matches `requirement`. The
    /// statement returns the row and whether the row was deleted, or no row if none matches `condition`. If the row was
    /// not deleted because of a concurrent change, the row is returned as it was before that change.
    public static func delete(where condition: Condition<Self>, if requirement: Condition<Self>) -> Statement {
        guarded(deletion(condition && requirement), condition)
    }

    /// Returns a statement that combines a change, an UPDATE or DELETE, with a SELECT of the row that matches
    /// `condition`, so that the result distinguishes a row that does not exist from a row that was not changed.
    private static func guarded(_ change: Fragment, _ condition: Condition<Self>) -> Statement {
        let (list, table) = (definition.columnList, definition.reference)
        return Statement(
            Fragment("WITH changed AS (") + change
                + "\(returning)) SELECT \(list), true FROM changed UNION ALL SELECT \(list), false FROM \(table) WHERE "
                + condition.fragment + " AND NOT EXISTS (SELECT FROM changed)")
    }
}

extension Select {
    /// Returns a statement that updates all rows that match the query's condition; order and limit are ignored.
    /// `values` must not be empty.
    public func update(_ values: [Assignment<Model>]) -> Statement {
        Statement(Model.change(values, condition ?? .always))
    }

    /// The statement that deletes all rows that match the query's condition; order and limit are ignored.
    public var deletion: Statement { Statement(Model.deletion(condition ?? .always)) }

    /// Whether an in-memory row matches the query's condition; order and limit are ignored.
    public func contains(_ row: Model) -> Bool { condition?.matches(row) ?? true }
}

extension Condition {
    /// The condition that every row matches.
    public static var always: Self { Self(fragment: Fragment("true")) { _ in true } }

    /// The condition that no row matches.
    public static var never: Self { Self(fragment: Fragment("false")) { _ in false } }
}
