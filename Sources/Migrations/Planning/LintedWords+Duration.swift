extension LintedWords {
    /// Whether the duration depends on more than the sizes of the tables that the statement reads and writes: on the
    /// rows that a query matches, on what a function or a block does, or on something unknown.
    var hasUnpredictableDuration: Bool {
        if begins("update") { return has("select") || (outer.split(at: "where")?.before ?? outer).has("from") }
        if begins("delete") { return has("select|using") }
        if begins("insert") { return has("select|table|with") }
        if begins("vacuum") { return !begins("vacuum full") && !(begins("vacuum (") && inner.has("full")) }
        if begins("create") { return isFilledByQuery }
        return !begins("alter|cluster|comment|drop|grant|lock|reindex|reset|revoke|security|set|truncate")
    }

    /// Whether the statement fills a table or a materialized view with the result of a query.
    private var isFilledByQuery: Bool {
        let definition =
            droppingPrefix("create [global|local] [unlogged|temporary|temp] table")
            ?? droppingPrefix("create materialized view")
        return definition?.outer.has("as") == true && !has("with no data")
    }
}
