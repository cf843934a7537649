import TestSupport

/// A model of a schema that changes at random, and the statements that create it.
struct SchemaModel {
    struct Column: Hashable {
        var name: String
        var type: String
        var isNullable = true
        var value = Value.null
    }

    enum Value: Hashable {
        case null, standard, volatile, serial, always, byDefault
        /// A generated column, computed from these columns.
        case generated([String])
    }

    struct Table: Hashable {
        var name: String
        var columns: [Column]
        var key: Set<String> = []
        var uniques: Set<Set<String>> = []
        var checks: Set<Set<String>> = []
        var indexes: [String: [String]] = [:]
        var uniqueIndexes: [String: [String]] = [:]
        var references: Set<Reference> = []

        subscript(name: String) -> Column? { columns.first { $0.name == name } }
    }

    /// A foreign key.
    struct Reference: Hashable {
        var column: String
        var table: String
        var target: String
        var rule: String
    }

    private(set) var tables: [Table] = []

    private static let types = ["integer", "bigint", "smallint", "text", "character varying(20)", "boolean", "date"]
    private static let integers = ["integer", "bigint", "smallint"]

    // MARK: Changing

    /// Makes a random change.
    mutating func change(_ random: inout SeededGenerator) {
        let chance = Int.random(in: 0..<20, using: &random)
        defer { repair() }
        if tables.isEmpty || chance == 0 && tables.count < 5 { return addTable(&random) }
        let table = Int.random(in: tables.indices, using: &random)
        switch chance {
        case 1: tables.remove(at: table)
        case 2: renameTable(table, &random)
        case 3: renameColumn(table, &random)
        case 4...8: changeColumn(table, &random)
        case 9, 10: addColumn(table, &random)
        case 11: tables[table].columns.remove(at: Int.random(in: tables[table].columns.indices, using: &random))
        case 12, 13: changeIndexes(table, &random)
        case 14, 15: changeConstraints(table, &random)
        default: changeReferences(table, &random)
        }
    }

    /// A name that is not in use, but may have been used before.
    private func newName(_ prefix: String, _ random: inout SeededGenerator) -> String {
        var taken = Set(tables.map(\.name))
        for table in tables {
            taken.formUnion(table.columns.map(\.name))
            taken.formUnion(table.indexes.keys)
            taken.formUnion(table.uniqueIndexes.keys)
        }
        let free = (0..<60).map { "\(prefix)\($0)" }.filter { !taken.contains($0) }
        return free.prefix(3).randomElement(using: &random) ?? prefix
    }

    private mutating func addTable(_ random: inout SeededGenerator) {
        let key = Column(
            name: newName("c", &random), type: Self.integers.randomElement(using: &random) ?? "integer",
            isNullable: false,
            value: [.null, .serial, .always, .byDefault].randomElement(using: &random) ?? .null)
        tables.append(Table(name: newName("t", &random), columns: [key], key: [key.name]))
        for _ in 0..<3 { addColumn(tables.count - 1, &random) }
    }

    private mutating func addColumn(_ table: Int, _ random: inout SeededGenerator) {
        tables[table].columns.append(
            Column(
                name: newName("c", &random), type: Self.types.randomElement(using: &random) ?? "text",
                isNullable: Bool.random(using: &random)))
        changeValue(table, tables[table].columns.count - 1, &random)
    }

    private mutating func changeColumn(_ table: Int, _ random: inout SeededGenerator) {
        let column = Int.random(in: tables[table].columns.indices, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: tables[table].columns[column].isNullable.toggle()
        case 1: tables[table].columns[column].type = Self.types.randomElement(using: &random) ?? "text"
        default: changeValue(table, column, &random)
        }
    }

    private mutating func changeValue(_ table: Int, _ column: Int, _ random: inout SeededGenerator) {
        let isInteger = Self.integers.contains(tables[table].columns[column].type)
        let others = tables[table].columns.map(\.name).shuffled(using: &random).prefix(2)
        let values: [Value] =
            [.null, .standard, .volatile, .generated(Array(others))]
            + (isInteger ? [.serial, .always, .byDefault] : [])
        tables[table].columns[column].value = values.randomElement(using: &random) ?? .null
    }

    private func columns(_ table: Int, _ random: inout SeededGenerator) -> [String] {
        Array(tables[table].columns.map(\.name).shuffled(using: &random).prefix(Int.random(in: 1...2, using: &random)))
    }

    private mutating func changeIndexes(_ table: Int, _ random: inout SeededGenerator) {
        if Bool.random(using: &random), let name = tables[table].indexes.keys.sorted().randomElement(using: &random) {
            tables[table].indexes[name] = Bool.random(using: &random) ? nil : columns(table, &random)
        } else if Bool.random(using: &random) {
            tables[table].indexes[newName("i", &random)] = columns(table, &random)
        } else if let name = tables[table].uniqueIndexes.keys.sorted().first, Bool.random(using: &random) {
            tables[table].uniqueIndexes[name] = nil
        } else {
            tables[table].uniqueIndexes[newName("u", &random)] = columns(table, &random)
        }
    }

    private mutating func changeConstraints(_ table: Int, _ random: inout SeededGenerator) {
        let columns = Set(columns(table, &random))
        switch Int.random(in: 0..<5, using: &random) {
        case 0: tables[table].key = Bool.random(using: &random) ? [] : columns
        case 1: tables[table].uniques = []
        case 2: tables[table].checks = []
        case 3: tables[table].uniques.insert(columns)
        default: tables[table].checks.insert(columns)
        }
    }

    private mutating func changeReferences(_ table: Int, _ random: inout SeededGenerator) {
        if !tables[table].references.isEmpty, Int.random(in: 0..<3, using: &random) == 0 {
            return tables[table].references = []
        }
        guard let target = tables.randomElement(using: &random),
            let end = ([target.key] + target.uniques.sorted { $0.sorted().joined() < $1.sorted().joined() })
                .filter({ $0.count == 1 }).randomElement(using: &random)?.first,
            let type = target[end]?.type,
            let column = tables[table].columns.filter({ $0.type == type }).map(\.name).randomElement(using: &random)
        else { return }
        let rule = ["", " ON DELETE CASCADE", " DEFERRABLE INITIALLY DEFERRED"].randomElement(using: &random) ?? ""
        guard !tables[table].references.contains(where: { ($0.column, $0.table) == (column, target.name) }) else {
            return
        }
        tables[table].references.insert(Reference(column: column, table: target.name, target: end, rule: rule))
    }

    // MARK: Renaming

    private mutating func renameTable(_ index: Int, _ random: inout SeededGenerator) {
        let (old, new) = (tables[index].name, newName("t", &random))
        tables[index].name = new
        changeReferences { if $0.table == old { $0.table = new } }
    }

    private mutating func renameColumn(_ index: Int, _ random: inout SeededGenerator) {
        let column = Int.random(in: tables[index].columns.indices, using: &random)
        let (table, old, new) = (tables[index].name, tables[index].columns[column].name, newName("c", &random))
        func name(_ name: String) -> String { name == old ? new : name }
        tables[index].columns[column].name = new
        for place in tables[index].columns.indices {
            if case .generated(let names) = tables[index].columns[place].value {
                tables[index].columns[place].value = .generated(names.map(name))
            }
        }
        tables[index].key = Set(tables[index].key.map(name))
        tables[index].uniques = Set(tables[index].uniques.map { Set($0.map(name)) })
        tables[index].checks = Set(tables[index].checks.map { Set($0.map(name)) })
        tables[index].indexes = tables[index].indexes.mapValues { $0.map(name) }
        tables[index].uniqueIndexes = tables[index].uniqueIndexes.mapValues { $0.map(name) }
        tables[index].references = Set(
            tables[index].references.map { reference in
                var reference = reference
                reference.column = name(reference.column)
                return reference
            })
        changeReferences { if $0.table == table, $0.target == old { $0.target = new } }
    }

    private mutating func changeReferences(_ change: (inout Reference) -> Void) {
        for index in tables.indices {
            tables[index].references = Set(
                tables[index].references.map { reference in
                    var reference = reference
                    change(&reference)
                    return reference
                })
        }
    }

    // MARK: Keeping it valid

    /// Removes what Postgres would reject.
    private mutating func repair() {
        tables.removeAll { $0.columns.isEmpty }
        for index in tables.indices { tables[index].repair() }
        let state = tables
        for index in tables.indices {
            let table = tables[index]
            tables[index].references = table.references.filter { reference in
                guard let target = state.first(where: { $0.name == reference.table }) else { return false }
                let isKey = target.key == [reference.target] || target.uniques.contains([reference.target])
                let type = table[reference.column]?.type
                let isGenerated = table[reference.column]?.value.isGenerated ?? true
                return isKey && type != nil && type == target[reference.target]?.type && !isGenerated
            }
        }
    }

    // MARK: Creating

    /// The statements that create the whole schema.
    var sql: String {
        let keys = tables.flatMap { table in
            table.references.sorted { $0.column < $1.column }.map {
                "ALTER TABLE \(table.name) ADD FOREIGN KEY (\($0.column)) REFERENCES \($0.table) (\($0.target))\($0.rule)"
            }
        }
        return (tables.flatMap(\.statements) + keys).map { $0 + ";" }.joined(separator: "\n")
    }
}

extension SchemaModel.Value {
    var isGenerated: Bool { if case .generated = self { true } else { false } }
}

extension SchemaModel.Table {
    private var names: Set<String> { Set(columns.map(\.name)) }

    fileprivate mutating func repair() {
        let names = names
        for index in columns.indices { repairColumn(index) }
        key = key.isSubset(of: names) ? key : []
        uniques = uniques.filter { $0.isSubset(of: names) && $0 != key }
        checks = checks.filter { $0.isSubset(of: names) }
        indexes = indexes.filter { names.isSuperset(of: $0.value) }
        uniqueIndexes = uniqueIndexes.filter { names.isSuperset(of: $0.value) }
        for index in columns.indices where key.contains(columns[index].name) { columns[index].isNullable = false }
    }

    private mutating func repairColumn(_ index: Int) {
        let column = columns[index]
        switch column.value {
        case .null, .standard, .volatile: break
        case .serial, .always, .byDefault:
            if !["integer", "bigint", "smallint"].contains(column.type) { columns[index].value = .null }
            columns[index].isNullable = columns[index].value == .null
        case .generated(let sources):
            let isPossible =
                !sources.isEmpty && !key.contains(column.name)
                && sources.allSatisfy { source in
                    source != column.name && self[source].map { !$0.value.isGenerated && $0.type != "date" } ?? false
                }
            if !isPossible { columns[index].value = .null } else { columns[index].type = "text" }
        }
    }

    fileprivate var statements: [String] {
        func list(_ names: some Collection<String>) -> String { names.joined(separator: ", ") }
        var lines = columns.map(\.line)
        if !key.isEmpty { lines.append("PRIMARY KEY (\(list(key.sorted())))") }
        lines += uniques.map { $0.sorted() }.sorted { $0.joined() < $1.joined() }.map { "UNIQUE (\(list($0)))" }
        lines += checks.map { $0.sorted() }.sorted { $0.joined() < $1.joined() }.map { "CHECK (\(check($0)))" }
        return ["CREATE TABLE \(name) (\(list(lines)))"]
            + indexes.sorted { $0.key < $1.key }.map { "CREATE INDEX \($0.key) ON \(name) (\(list($0.value)))" }
            + uniqueIndexes.sorted { $0.key < $1.key }.map {
                "CREATE UNIQUE INDEX \($0.key) ON \(name) (\(list($0.value))) WHERE \($0.value[0]) IS NOT NULL"
            }
    }

    private func check(_ names: [String]) -> String {
        let types = Set(names.compactMap { self[$0]?.type })
        let isOrdered = names.count == 2 && types.count == 1
        return isOrdered ? "\(names[0]) <= \(names[1])" : names.map { "\($0) IS NOT NULL" }.joined(separator: " OR ")
    }
}

extension SchemaModel.Column {
    private static let standards = [
        "text": "'it''s'", "character varying(20)": "'c1'", "boolean": "true", "date": "'2020-02-02'",
    ]

    private static let volatiles = [
        "text": "md5(random()::text)", "character varying(20)": "left(random()::text, 20)", "boolean": "random() < 0.5",
        "date": "clock_timestamp()::date",
    ]

    fileprivate var line: String {
        let null = isNullable ? "" : " NOT NULL"
        let serials = ["integer": "serial", "bigint": "bigserial", "smallint": "smallserial"]
        switch value {
        case .null: return "\(name) \(type)\(null)"
        case .standard: return "\(name) \(type) DEFAULT \(Self.standards[type] ?? "7")\(null)"
        case .volatile: return "\(name) \(type) DEFAULT \(Self.volatiles[type] ?? "random() * 9")\(null)"
        case .serial: return "\(name) \(serials[type] ?? type)"
        case .always: return "\(name) \(type) GENERATED ALWAYS AS IDENTITY"
        case .byDefault: return "\(name) \(type) GENERATED BY DEFAULT AS IDENTITY (START WITH 5)"
        case .generated(let sources):
            let expression = sources.map { "coalesce(\($0)::text, '')" }.joined(separator: " || ")
            return "\(name) text GENERATED ALWAYS AS (\(expression)) STORED\(null)"
        }
    }
}
