/// One difference between the database and the models: how to do away with it, and how to bring it back.
public struct Change: Hashable, Sendable {
    /// In words: `Detected added column 'campaign.budget'`; `nil` for what only makes way for other changes.
    public let summary: String?
    /// What the upgrade says.
    let upgrade: [Step]
    /// What the downgrade says.
    let downgrade: [Step]
    /// Where it stands among others: what it runs inside a transaction stands on nothing that another of the same stage runs outside,
    /// nor the other way round.
    var stage = 0
    /// What the upgrade deletes for good, if so.
    var dataLoss: String?
    /// What a person should look at.
    var remark: String?

    init(
        _ summary: String? = nil, upgrade: [Step], downgrade: [Step], dataLoss: String? = nil, remark: String? = nil
    ) {
        (self.summary, self.upgrade, self.downgrade) = (summary?.onOneLine, upgrade, downgrade)
        (self.dataLoss, self.remark) = (dataLoss, remark)
    }

    /// A change all of whose statements run inside a transaction.
    init(
        _ summary: String? = nil, upgrade: [String], downgrade: [String], dataLoss: String? = nil, remark: String? = nil
    ) {
        self.init(
            summary, upgrade: upgrade.map { .inside($0) }, downgrade: downgrade.map { .inside($0) }, dataLoss: dataLoss,
            remark: remark)
    }

    /// The same the other way round.
    func undone(_ summary: String? = nil) -> Change { Change(summary, upgrade: downgrade, downgrade: upgrade) }

    /// The upgrade's statements, the first with what marks the change.
    fileprivate var markedUpgrade: [Step] {
        let marks = [remark.map { SQLComment($0) }, dataLoss.map(SQLComment.dataLoss)].compactMap(\.self)
        var steps = upgrade
        if !steps.isEmpty { steps[0].comments = marks + steps[0].comments }
        return steps
    }
}

extension [Change] {
    /// The two sections of a revision that makes all of these changes.
    public var sections: (upgrade: String, downgrade: String) {
        let stages = Dictionary(grouping: self, by: \.stage).sorted { $0.key < $1.key }.map(\.value)
        return (
            SectionText(stages.map { $0.map(\.markedUpgrade) }).text(),
            SectionText(stages.reversed().map { $0.reversed().map(\.downgrade) }).text()
        )
    }

    /// The changes in words.
    public var summaries: [String] { compactMap(\.summary) }
}
