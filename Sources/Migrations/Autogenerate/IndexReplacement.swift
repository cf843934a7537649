/// The replacement of an index or a key by another one.
///
/// The new index is built before the old one is dropped, and takes the place of the old one in a single transaction.
/// Thus the table always has one of the two, and if the build fails, the old one remains.
struct IndexReplacement {
    /// What a replacement removes or adds: a key, or an index that belongs to no constraint.
    enum Side: Hashable {
        case key(definition: String)
        case index(Catalog.Index)

        fileprivate var text: String {
            switch self {
            case .key(let definition): definition
            case .index(let index): index.text
            }
        }

        fileprivate var isUnique: Bool {
            switch self {
            case .key: true
            case .index(let index): index.isUnique
            }
        }

        fileprivate var isPrimaryKey: Bool {
            if case .key(let text) = self { text.hasPrefix("PRIMARY KEY") } else { false }
        }
    }

    /// A key or an index with its name.
    struct Member: Hashable {
        let name: String
        let side: Side
    }

    let table: Catalog.Table
    let old: Member
    let new: Member

    /// Whether the old and the new member differ only in their names.
    var isRename: Bool { old.side == new.side }

    /// The change that replaces the old index or key with the new one.
    var change: Change {
        Change(summary, upgrade: steps(from: old, to: new), downgrade: steps(from: new, to: old))
    }

    private var summary: String {
        old.name == new.name
            ? "Detected changed \(new.word) '\(new.name)' on '\(table.name)'"
            : "Detected \(new.word) '\(new.name)' in place of \(old.word) '\(old.name)' on '\(table.name)'"
    }

    private func steps(from old: Member, to new: Member) -> [Step] {
        func rename(_ from: String, _ to: String) -> Step {
            .inside("ALTER INDEX \(quoted(from)) RENAME TO \(quoted(to))")
        }
        guard !isRename else { return [rename(old.name, new.name)] }
        let (temporaryNew, temporaryOld) = (interim(new.name, "_aktify_new"), interim(old.name, "_aktify_old"))
        let form = table.safeForm
        var steps: [Step]
        let addition: Step
        switch new.side {
        case .key(let definition):
            guard let key = form.key(quoted(new.name), definition, index: quoted(temporaryNew)) else { return [] }
            (steps, addition) = ([key.build], key.addition)
        case .index(let index):
            (steps, addition) = ([form.index(quoted(temporaryNew), index)], rename(temporaryNew, new.name))
        }
        switch old.side {
        case .key:
            steps += [.inside("ALTER TABLE \(quoted(table.name)) DROP CONSTRAINT \(quoted(old.name))"), addition]
        case .index where old.name != new.name: steps += [addition, form.indexRemoval(quoted(old.name))]
        case .index: steps += [rename(old.name, temporaryOld), addition, form.indexRemoval(quoted(temporaryOld))]
        }
        return steps
    }

    /// Returns a temporary name that no index or constraint of the table has. A number is appended if the name is
    /// taken, for example by an index that an aborted replacement has left behind.
    private func interim(_ name: String, _ suffix: String) -> String {
        var (interim, number) = (name.withSuffix(suffix), 1)
        while table.indexes[interim] != nil || table.constraints[interim] != nil {
            number += 1
            interim = name.withSuffix("\(suffix)\(number)")
        }
        return interim
    }
}

extension IndexReplacement.Member {
    /// The word for the member in Alembic's messages.
    fileprivate var word: String {
        switch side {
        case .key: "constraint"
        case .index: "index"
        }
    }

    /// Returns those of the given columns that occur in the member's definition.
    func columns(of names: Set<String>) -> Set<String> { names.intersection(DeparsedSQL.names(in: side.text)) }

    var isPrimaryKey: Bool { side.isPrimaryKey }

    /// Whether the member can replace an old index or key. The two must be indexes with the same name or definition,
    /// two unique members (keys or unique indexes) with the same name or columns, or two primary keys.
    /// - Parameter names: the names of the table's columns.
    func canReplace(_ old: Self, columns names: Set<String>) -> Bool {
        if case (.index, .index) = (old.side, side), old.side == side || old.name == name { return true }
        guard old.side.isUnique, side.isUnique else { return false }
        return old.name == name || old.isPrimaryKey && isPrimaryKey || old.columns(of: names) == columns(of: names)
    }
}
