extension Tabular {
    /// The statement that gives the row that is so these values, if it meets a guard: it returns the row as it is then, and whether it
    /// was changed; nothing when there is no such row.
    public static func update(
        _ values: [Assignment<Self>], where condition: Condition<Self>, if requirement: Condition<Self>
    ) -> Statement {
        guarded(change(values, condition && requirement), condition)
    }

    /// The statement that deletes the row that is so, if it meets a guard: it returns the row, and whether it was deleted; nothing
    /// when there is no such row.
    public static func delete(where condition: Condition<Self>, if requirement: Condition<Self>) -> Statement {
        guarded(deletion(condition && requirement), condition)
    }

    /// One statement tells a row that is not there from one that does not meet the guard.
    private static func guarded(_ change: Fragment, _ condition: Condition<Self>) -> Statement {
        let (list, table) = (definition.columnList, definition.reference)
        return Statement(
            Fragment("WITH changed AS (") + change
                + "\(returning)) SELECT \(list), true FROM changed UNION ALL SELECT \(list), false FROM \(table) WHERE "
                + condition.fragment + " AND NOT EXISTS (SELECT FROM changed)")
    }
}

extension Select {
    /// The statement that gives all of them these values; order and limit do not matter.
    public func update(_ values: [Assignment<Model>]) -> Statement {
        Statement(Model.change(values, condition ?? .always))
    }

    /// The statement that deletes all of them; order and limit do not matter.
    public var deletion: Statement { Statement(Model.deletion(condition ?? .always)) }

    /// Whether a row in memory is one of them, whatever the order and the limit.
    public func contains(_ row: Model) -> Bool { condition?.holds(row) ?? true }
}

extension Condition {
    /// Every row.
    public static var always: Self { Self(fragment: Fragment("true")) { _ in true } }

    /// No row.
    public static var never: Self { Self(fragment: Fragment("false")) { _ in false } }
}
