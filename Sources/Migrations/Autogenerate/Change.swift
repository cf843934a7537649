/// One difference between the database and the models: how to do away with it, and how to bring it back.
public struct Change: Hashable, Sendable {
    /// In words: `Detected added column 'campaign.budget'`; `nil` for what only makes way for other changes.
    public let summary: String?
    /// What the upgrade says.
    let upgrade: [String]
    /// What the downgrade says.
    let downgrade: [String]
    /// What the upgrade deletes for good, if so.
    var dataLoss: String?
    /// What a person should look at.
    var remark: String?

    init(
        _ summary: String? = nil, upgrade: [String], downgrade: [String], dataLoss: String? = nil, remark: String? = nil
    ) {
        (self.summary, self.upgrade, self.downgrade) = (summary, upgrade, downgrade)
        (self.dataLoss, self.remark) = (dataLoss, remark)
    }

    /// The upgrade's lines, with what marks them.
    var upgradeText: String {
        let remarks = remark.map { ["-- " + $0] } ?? []
        let marks = dataLoss.map { ["-- data loss: " + $0] } ?? []
        return (remarks + marks + upgrade.map { $0 + ";" }).joined(separator: "\n")
    }

    var downgradeText: String { downgrade.map { $0 + ";" }.joined(separator: "\n") }
}

extension [Change] {
    /// The two sections of a revision that makes all of these changes.
    public var sections: (upgrade: String, downgrade: String) {
        let (upgrades, downgrades) = (map(\.upgradeText), reversed().map(\.downgradeText))
        return (
            upgrades.filter { !$0.isEmpty }.joined(separator: "\n\n"),
            downgrades.filter { !$0.isEmpty }.joined(separator: "\n\n")
        )
    }

    /// The changes in words.
    public var summaries: [String] { compactMap(\.summary) }
}
