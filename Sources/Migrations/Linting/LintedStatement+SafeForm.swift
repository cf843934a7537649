/// What would do the same without holding anybody up, where it can be told from the statement alone.
extension LintedStatement {
    /// The index, made or dropped beside readers and writers.
    var concurrently: [Step]? {
        guard let rest = words.behind("create [unique] index") ?? words.behind("drop index"),
            rest.parts.count == 1, !rest.outer.has("cascade")
        else { return nil }
        // IF NOT EXISTS would take what a failed try has left for the index.
        let index = words.begins("create") ? rest.behind("[if] [not] [exists]") ?? rest : rest
        return [.outside("\(words.sql.dropLast(rest.sql.count))CONCURRENTLY \(index.sql)")]
    }

    /// The statement as it is, where CONCURRENTLY may run.
    var outside: [Step]? { [.outside(words.sql)] }

    /// The update, as it is, in batches; the key is taken for `id`.
    var batched: [Step]? { [.outside(words.sql, SQLComment.batches(by: "id").map { [$0] } ?? [])] }

    /// The constraint that it adds.
    var addedSafely: [Step]? {
        guard let (form, action) = only, let constraint = action.addedConstraint,
            let definition = LintedStatement.definition(constraint)
        else { return nil }
        let name = action.behind("add constraint")?.head.sql ?? defaultName(constraint)
        let steps = form.constraint(name, definition)
        return steps.contains { $0.place == .outside } ? steps : nil
    }

    /// NOT NULL of a column.
    var notNullSafely: [Step]? {
        guard let (form, action) = only, let column = action.behind("alter [column]")?.head else { return nil }
        return form.notNull(column.sql)
    }

    /// The column with a default that differs from row to row.
    var columnSafely: [Step]? {
        guard let (form, _) = only, let column = addedColumns.first, !column.isSerial,
            let (type, value) = column.behind("*")?.split(at: "default"),
            !column.outer.has("unique|primary|check|references|constraint|collate")
        else { return nil }
        return form.column(
            column.head.sql, type.split(at: "not null")?.before.sql ?? type.sql,
            default: value.split(at: "not null")?.before.sql ?? value.sql, isNullable: !column.outer.has("not null"),
            key: "id")
    }

    /// The one thing that an `ALTER TABLE` does.
    private var only: (form: SafeForm, action: LintedWords)? {
        guard actions.count == 1, let table = words.behind("alter table [if] [exists] [only]")?.head else { return nil }
        return (SafeForm(table: table.sql), actions[0])
    }

    /// A constraint's definition, with its keyword as Postgres writes it.
    private static func definition(_ constraint: LintedWords) -> String? {
        ["PRIMARY KEY", "UNIQUE", "CHECK", "FOREIGN KEY"].lazy.compactMap { keyword in
            constraint.behind(keyword.lowercased()).map { "\(keyword) \($0.sql)" }
        }.first
    }

    /// A name like those that Postgres gives.
    private func defaultName(_ constraint: LintedWords) -> String {
        let table = WrittenSQL.names(in: table ?? "").last ?? ""
        let names = [table] + WrittenSQL.names(in: constraint.inner.sql)
        return switch constraint.first {
        case "primary": quoted("\(table)_pkey")
        case "unique": quoted((names + ["key"]).joined(separator: "_"))
        case "foreign": quoted((names + ["fkey"]).joined(separator: "_"))
        default: quoted("\(table)_check")
        }
    }
}
