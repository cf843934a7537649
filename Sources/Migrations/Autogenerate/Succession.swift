/// An index or a key that takes another one's place. The new one is built before the old one goes, and takes its place in one transaction: at
/// no moment is there none, and when the build fails, the old one stays.
struct Succession {
    /// A key, or an index that belongs to none.
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

    struct Member: Hashable {
        let name: String
        let side: Side
    }

    let table: Catalog.Table
    let old: Member
    let new: Member

    /// Whether only the name is another.
    var isRename: Bool { old.side == new.side }

    /// What does it, and what undoes it.
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
        let (built, left) = (interim(new.name, "_aktify_new"), interim(old.name, "_aktify_old"))
        let form = table.safeForm
        var steps: [Step]
        let addition: Step
        switch new.side {
        case .key(let definition):
            guard let key = form.key(quoted(new.name), definition, index: quoted(built)) else { return [] }
            (steps, addition) = ([key.build], key.addition)
        case .index(let index): (steps, addition) = ([form.index(quoted(built), index)], rename(built, new.name))
        }
        switch old.side {
        case .key:
            steps += [.inside("ALTER TABLE \(quoted(table.name)) DROP CONSTRAINT \(quoted(old.name))"), addition]
        case .index where old.name != new.name: steps += [addition, form.indexRemoval(quoted(old.name))]
        case .index: steps += [rename(old.name, left), addition, form.indexRemoval(quoted(left))]
        }
        return steps
    }

    /// A name for the time being, which no index of the table has: an earlier exchange may have been given up half-way.
    private func interim(_ name: String, _ suffix: String) -> String {
        var (interim, number) = (name.withSuffix(suffix), 1)
        while table.indexes[interim] != nil || table.constraints[interim] != nil {
            number += 1
            interim = name.withSuffix("\(suffix)\(number)")
        }
        return interim
    }
}

extension Succession.Member {
    fileprivate var word: String {
        switch side {
        case .key: "constraint"
        case .index: "index"
        }
    }

    /// The columns that it is about, of these.
    func columns(of names: Set<String>) -> Set<String> { names.intersection(WrittenSQL.names(in: side.text)) }

    var isPrimaryKey: Bool { side.isPrimaryKey }

    /// Whether it can take another one's place.
    func succeeds(_ old: Self, columns names: Set<String>) -> Bool {
        if case (.index, .index) = (old.side, side), old.side == side || old.name == name { return true }
        guard old.side.isUnique, side.isUnique else { return false }
        return old.name == name || old.isPrimaryKey && isPrimaryKey || old.columns(of: names) == columns(of: names)
    }
}

extension String {
    /// With a suffix, and as long as Postgres lets a name be: 63 bytes.
    fileprivate func withSuffix(_ suffix: String) -> String {
        var name = self
        while name.utf8.count + suffix.utf8.count > 63 { name.unicodeScalars.removeLast() }
        return name + suffix
    }
}
