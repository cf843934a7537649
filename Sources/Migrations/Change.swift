/// One difference between the database and the models: how to do away with it, and how to bring it back.
public struct Change: Hashable, Sendable {
    /// In words: `Detected added column 'campaign.budget'`.
    public let summary: String
    /// What the upgrade says.
    let upgrade: [String]
    /// What the downgrade says.
    let downgrade: [String]
    /// What the upgrade deletes for good, if so.
    var dataLoss: String?
    /// What a person should look at.
    var remark: String?

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
        (map(\.upgradeText).joined(separator: "\n\n"), reversed().map(\.downgradeText).joined(separator: "\n\n"))
    }
}
