/// Safe statements with the same effect, as far as they can be derived from the statement alone.
extension LintedStatement {
    /// The step that creates or drops the index CONCURRENTLY; `nil` if there is no such form of the statement.
    var concurrently: [Step]? {
        guard let rest = words.droppingPrefix("create [unique] index") ?? words.droppingPrefix("drop index"),
            rest.parts.count == 1, !rest.outer.has("cascade")
        else { return nil }
        // IF NOT EXISTS would accept an invalid index that a failed attempt has left.
        let index = words.begins("create") ? rest.droppingPrefix("[if] [not] [exists]") ?? rest : rest
        return [.outside("\(words.sql.dropLast(rest.sql.count))CONCURRENTLY \(index.sql)")]
    }

    /// The unchanged statement as a step outside a transaction, where CONCURRENTLY is allowed.
    var outside: [Step]? { [.outside(words.sql)] }

    /// The unchanged update as a step that runs in batches; the key is assumed to be `id`.
    var batched: [Step]? { [.outside(words.sql, SQLComment.batches(by: "id").map { [$0] } ?? [])] }

    /// The steps that add a check or foreign key NOT VALID and validate it, or that build a key's index CONCURRENTLY
    /// and add the key; `nil` if neither is possible.
    var addedSafely: [Step]? {
        guard let (form, action) = onlyAction, let constraint = action.addedConstraint,
            let definition = LintedStatement.definition(constraint)
        else { return nil }
        let name = action.droppingPrefix("add constraint")?.head.sql ?? defaultName(constraint)
        let steps = form.constraint(name, definition)
        return steps.contains { $0.mode == .outside } ? steps : nil
    }

    /// The steps that set the column NOT NULL after adding and validating a check; `nil` if the statement has further
    /// actions.
    var notNullSafely: [Step]? {
        guard let (form, action) = onlyAction, let column = action.droppingPrefix("alter [column]")?.head else {
            return nil
        }
        return form.notNull(column.sql)
    }

    /// The steps that add the column without its volatile default, set the default, and fill existing rows in batches.
    /// `nil` if the statement has further actions, or if the column is serial or has a collation or a constraint other
    /// than NOT NULL.
    var columnSafely: [Step]? {
        guard let (form, _) = onlyAction, let column = addedColumns.first, !column.isSerial,
            let (type, value) = column.droppingPrefix("*")?.split(at: "default"),
            !column.outer.has("unique|primary|check|references|constraint|collate|generated")
        else { return nil }
        return form.column(
            column.head.sql, type.split(at: "not null")?.before.sql ?? type.sql,
            default: value.split(at: "not null")?.before.sql ?? value.sql, isNullable: !column.outer.has("not null"),
            key: "id")
    }

    /// The action of an `ALTER TABLE` with a single action, and the `SafeForm` for its table; `nil` for other
    /// statements.
    private var onlyAction: (form: SafeForm, action: LintedWords)? {
        guard actions.count == 1, let table = words.droppingPrefix("alter table [if] [exists] [only]")?.head else {
            return nil
        }
        return (SafeForm(table: table.sql), actions[0])
    }

    /// A constraint's definition, with its keyword in upper case; `nil` if it is no key, check or foreign key.
    private static func definition(_ constraint: LintedWords) -> String? {
        ["PRIMARY KEY", "UNIQUE", "CHECK", "FOREIGN KEY"].lazy.compactMap { keyword in
            constraint.droppingPrefix(keyword.lowercased()).map { "\(keyword) \($0.sql)" }
        }.first
    }

    /// A constraint name like the ones that Postgres generates.
    private func defaultName(_ constraint: LintedWords) -> String {
        let table = DeparsedSQL.names(in: table ?? "").last ?? ""
        let names = [table] + DeparsedSQL.names(in: constraint.inner.sql)
        return switch constraint.first {
        case "primary": quoted("\(table)_pkey")
        case "unique": quoted((names + ["key"]).joined(separator: "_"))
        case "foreign": quoted((names + ["fkey"]).joined(separator: "_"))
        default: quoted("\(table)_check")
        }
    }
}
