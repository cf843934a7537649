import Postgres
import Testing

@Suite struct SQLStateTests {
    @Test(
        arguments: [
            ("40001", .serializationFailure), ("40P01", .serializationFailure), ("08006", .unavailable),
            ("57P01", .unavailable),
            ("53300", .unavailable),
            ("25006", .unavailable), ("55P03", .unavailable), ("28P01", .unavailable), ("57014", .timeout),
            ("23505", .constraintConflict),
            ("23503", .constraintConflict), ("23514", .invalid), ("22001", .invalid), ("22003", .invalid),
            ("54000", .invalid),
            ("22021", .malformedText),
            ("22P05", .malformedText), ("42P01", .defect), ("25P02", .defect), ("XX000", .defect),
        ] as [(SQLState, SQLState.Meaning)])
    func `an SQLSTATE has one meaning for a request`(state: SQLState, meaning: SQLState.Meaning) {
        #expect(state.meaning == meaning)
    }
}
