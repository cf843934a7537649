import Postgres
import SQL

/// The schema of a database, as statements that create its objects in the order of their dependencies.
///
/// A snapshot contains no owners, and privileges only where they differ from the defaults. The tool's own tables, and
/// objects that belong to an extension, are left out.
struct Snapshot {
    /// All objects, in an order in which they can be created.
    let objects: [SchemaObject]

    /// Reads a database.
    /// - Parameters:
    ///   - configuration: the database.
    ///   - readsRows: whether the rows of tables and the values of sequences are read, too.
    /// - Throws: `MigrationFailed` if the schema contains unsupported objects or cyclic dependencies, or if a table has
    ///   too many rows; `PostgresError`.
    init(reading configuration: PostgresConfiguration, readsRows: Bool = false) async throws {
        var patient = configuration
        patient.statementTimeout = .seconds(60)
        let connection = try await Connection.open(patient)
        defer { connection.close() }
        try await connection.script(Snapshot.settings)
        let unsupported = try await connection.rows(Snapshot.unsupported).map { $0[0] }
        guard unsupported.isEmpty else {
            throw MigrationFailed("the schema contains unsupported objects: \(unsupported.joined(separator: ", "))")
        }
        var reading = SnapshotReading(connection)
        try await reading.readObjects()
        if readsRows { try await reading.readRows() }
        objects = try await reading.ordered()
    }

    /// The settings for reading a snapshot: names are qualified, values are formatted the same everywhere, and rows
    /// hidden by a policy are an error.
    private static let settings = """
        SET search_path = ''; SET TimeZone = 'UTC'; SET DateStyle = ISO; SET IntervalStyle = postgres; \
        SET bytea_output = hex; SET extra_float_digits = 1; SET quote_all_identifiers = off; SET row_security = off; \
        SET statement_timeout = 0; SET lock_timeout = '10s'; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY
        """

    /// The statements that create the schema. Function bodies are not checked, since they may refer to objects that are
    /// created later.
    var creation: [String] {
        let hasFunctions = objects.contains { $0.kind == .function }
        return (hasFunctions ? ["SET check_function_bodies = false"] : []) + objects.flatMap(\.statements)
    }

    /// The statements that drop the schema.
    var removal: [String] { objects.reversed().compactMap(\.drop) }

    /// The statements that insert rows and set sequences, by the name of the table or sequence.
    var rows: [String: [String]] {
        Dictionary(objects.filter { $0.kind == .rows }.map { ($0.name, $0.statements) }) { $0 + $1 }
    }
}

/// Reads the objects of a database for a snapshot.
private struct SnapshotReading {
    private let connection: Connection
    private var objects: [SchemaObject] = []
    /// The dependencies between objects, from `pg_depend`.
    private var edges: [(object: String, other: String, type: String)] = []

    init(_ connection: Connection) { self.connection = connection }

    mutating func readObjects() async throws {
        for (kind, sql) in SchemaObject.queries {
            for row in try await connection.rows(Statement(unsafe: sql)) {
                objects.append(SchemaObject(key: row[0], kind: kind, name: row[1], statements: Array(row[2...])))
            }
        }
        let drops = Dictionary(
            try await connection.rows(Snapshot.drops(objects.map(\.key))).map { ($0[0], $0[1]) },
            uniquingKeysWith: { $1 })
        for index in objects.indices { objects[index].drop = drops[objects[index].key] }
        edges = try await connection.rows(Snapshot.dependencies).map { ($0[0], $0[1], $0[2]) }
        try await addStatements(Snapshot.extensionDependencies)
        try await addStatements(Snapshot.rights)
        try await addStatements(Snapshot.comments)
    }

    // MARK: Privileges and comments

    /// Executes a query whose rows contain an object's key and a statement, such as GRANT, and appends the statements
    /// to their objects. A statement about a part, such as a constraint, is appended to the object with the part.
    private mutating func addStatements(_ query: Statement) async throws {
        let parts = Parts(edges)
        var indices = Dictionary(uniqueKeysWithValues: objects.enumerated().map { ($1.key, $0) })
        for row in try await connection.rows(query).sorted(by: { $0[1] < $1[1] }) {
            let key = parts.whole(of: row[0], isObject: { indices[$0] != nil })
            if key == nil, row[1].contains(" ON SCHEMA public ") {
                // Every database has the schema, but not with these privileges.
                indices[row[0]] = objects.count
                objects.append(SchemaObject(key: row[0], kind: .schema, name: "public", statements: []))
            }
            if let index = indices[key ?? row[0]] { objects[index].statements.append(row[1]) }
        }
    }

    // MARK: Rows

    /// The greatest number of rows per table that a snapshot supports.
    private static let maximumRows = 1000

    /// Reads the rows of tables and the values of sequences.
    mutating func readRows() async throws {
        for row in try await connection.rows(Snapshot.tables) where !row[2].isEmpty {
            let values =
                "(SELECT string_agg(coalesce(quote_literal(value), 'NULL'), ', ' ORDER BY place) "
                + "FROM unnest(ARRAY[\(row[3])]) WITH ORDINALITY one (value, place))"
            let rows = try await connection.rows(
                Statement(
                    unsafe:
                        "SELECT ARRAY[\(values)] FROM ONLY \(row[1]) aktify_row ORDER BY \(row[4]) LIMIT \(SnapshotReading.maximumRows + 1)"
                ))
            guard rows.count <= SnapshotReading.maximumRows else {
                throw MigrationFailed(
                    "\(row[1]) has more than \(SnapshotReading.maximumRows) rows, too many for a revision")
            }
            guard !rows.isEmpty else { continue }
            let lines = rows.map { "    (\($0[0]))" }.joined(separator: ",\n")
            let insertion = "INSERT INTO \(row[1]) (\(row[2]))\(row[5]) VALUES\n\(lines)"
            objects.append(SchemaObject(key: "rows \(row[0])", kind: .rows, name: row[1], statements: [insertion]))
        }
        for row in try await connection.rows(Snapshot.sequences) {
            let query = "SELECT ARRAY[last_value::text, is_called::text] FROM \(row[1])"
            let state = try await connection.rows(Statement(unsafe: query))[0]
            guard state != [row[2], "false"] else { continue }
            let statement = "SELECT pg_catalog.setval(\(literal(row[1])), \(state[0]), \(state[1]))"
            objects.append(SchemaObject(key: "rows \(row[0])", kind: .rows, name: row[1], statements: [statement]))
        }
    }

    // MARK: Order

    /// Returns the objects, sorted by their dependencies.
    func ordered() async throws -> [SchemaObject] {
        let objects = objects.sorted(by: SchemaObject.precedes)
        let indices = Dictionary(uniqueKeysWithValues: objects.enumerated().map { ($1.key, $0) })
        let parts = Parts(edges)
        var dependencies: [Int: Set<Int>] = [:]
        func add(_ object: String?, _ other: String?) {
            guard let object = object.flatMap({ indices[$0] }), let other = other.flatMap({ indices[$0] }),
                object != other
            else { return }
            dependencies[object, default: []].insert(other)
        }
        let whole = { parts.whole(of: $0, isObject: { indices[$0] != nil }) }
        for edge in edges {
            // A sequence is created before the table whose column owns it.
            if edge.type == "a", let index = indices[edge.object], objects[index].kind == .sequence { continue }
            add(whole(edge.object), whole(edge.other))
        }
        for row in try await connection.rows(Snapshot.orders) {
            for other in row.dropFirst() { add(row[0], whole(other)) }
        }
        for rows in objects where rows.kind == .rows {
            add(rows.key, whole(String(rows.key.dropFirst(5))))
            for object in objects where object.followsRows { add(object.key, rows.key) }
        }
        let order = DependencyOrder(count: objects.count, dependencies: dependencies)
        guard order.cycle.isEmpty else {
            let names = order.cycle.map { objects[$0].name }.joined(separator: ", ")
            throw MigrationFailed("these objects have cyclic dependencies, which is not supported: \(names)")
        }
        return order.indices.map { objects[$0] }
    }
}

/// Objects that are created as a part of another one. For example, a column's default, a constraint and a row type are
/// created with their table.
private struct Parts {
    private var wholes: [String: [String]] = [:]

    init(_ edges: [(object: String, other: String, type: String)]) {
        // The constraint of a constraint trigger is the trigger's (i) rather than the table's (a).
        for type in ["i", "a", "e"] {
            for edge in edges where edge.type == type { wholes[edge.object, default: []].append(edge.other) }
        }
    }

    /// Returns the key of the object whose statements create a given object: the given key if the object has its own
    /// statements; for a part, the key of the object that the part belongs to, such as the table of a column's default;
    /// `nil` if neither object has statements.
    func whole(of key: String, isObject: (String) -> Bool) -> String? {
        var (queue, seen): ([String], Set<String>) = ([key], [])
        while !queue.isEmpty {
            let next = queue.removeFirst()
            if isObject(next) { return next }
            if seen.insert(next).inserted { queue += wholes[next] ?? [] }
        }
        return nil
    }
}
