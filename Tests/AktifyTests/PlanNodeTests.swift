import Testing

@testable import aktify

/// The nodes of a plan in the output of `aktify explain`.
@Suite struct PlanNodeTests {
    @Test func `rows and time of a node are those of all its loops`() throws {
        let text = """
            [{"Plan": {"Node Type": "Index Scan", "Index Name": "campaign_pkey", "Relation Name": "campaign",
            "Actual Rows": 2, "Actual Loops": 30, "Actual Total Time": 0.1, "Shared Hit Blocks": 90}}]
            """
        let plan = try #require(ExplainedPlan(text))
        #expect(plan.root.lines() == ["Index Scan using campaign_pkey on campaign: 60 rows, 3.0 ms, 90 buffers"])
    }
}
