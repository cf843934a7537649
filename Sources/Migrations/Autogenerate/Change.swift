/// A difference between database and models, with the statements that apply and revert it.
public struct Change: Hashable, Sendable {
    /// A description in Alembic's words: `Detected added column 'campaign.budget'`; `nil` for an auxiliary change, such
    /// as dropping a constraint temporarily.
    public let summary: String?
    /// The statements of the upgrade section.
    let upgrade: [Step]
    /// The statements of the downgrade section.
    let downgrade: [Step]
    /// The stage in which the change is applied. Within a stage, no statement inside a transaction depends on one
    /// outside a transaction, and vice versa.
    var stage = 0
    /// What data the upgrade deletes irrecoverably; `nil` if none.
    var dataLoss: String?
    /// A remark for the author of the revision, written to the revision file as a comment; `nil` if none.
    var remark: String?

    /// Creates a change from steps.
    init(
        _ summary: String? = nil, upgrade: [Step], downgrade: [Step], dataLoss: String? = nil, remark: String? = nil
    ) {
        (self.summary, self.upgrade, self.downgrade) = (summary?.onOneLine, upgrade, downgrade)
        (self.dataLoss, self.remark) = (dataLoss, remark)
    }

    /// Creates a change whose statements all run inside a transaction.
    init(
        _ summary: String? = nil, upgrade: [String], downgrade: [String], dataLoss: String? = nil, remark: String? = nil
    ) {
        self.init(
            summary, upgrade: upgrade.map { .inside($0) }, downgrade: downgrade.map { .inside($0) }, dataLoss: dataLoss,
            remark: remark)
    }

    /// The inverse change.
    func inverted(_ summary: String? = nil) -> Change { Change(summary, upgrade: downgrade, downgrade: upgrade) }

    /// The upgrade's steps; the first one is preceded by the remark and the data loss marker, as comments.
    fileprivate var markedUpgrade: [Step] {
        let marks = [remark.map { SQLComment($0) }, dataLoss.map(SQLComment.dataLoss)].compactMap(\.self)
        var steps = upgrade
        if !steps.isEmpty { steps[0].comments = marks + steps[0].comments }
        return steps
    }
}

extension [Change] {
    /// The upgrade and downgrade sections of a revision that makes these changes.
    public var sections: (upgrade: String, downgrade: String) {
        let stages = Dictionary(grouping: self, by: \.stage).sorted { $0.key < $1.key }.map(\.value)
        return (
            SectionText(stages.map { $0.map(\.markedUpgrade) }).text(),
            SectionText(stages.reversed().map { $0.reversed().map(\.downgrade) }).text()
        )
    }

    /// The descriptions of the changes.
    public var summaries: [String] { compactMap(\.summary) }
}
