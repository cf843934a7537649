import HTTPTypes
import Resources
import Testing
import Web

@testable import AktifyAPI
@testable import Postgres

/// The HTTP responses to database errors.
@Suite struct DatabaseErrorTests {
    @Test(
        arguments: [
            ("40001", 503), ("40P01", 503), ("08000", 503), ("08006", 503), ("57P01", 503), ("57P02", 503),
            ("57P03", 503), ("53300", 503), ("53100", 503), ("25006", 503), ("55P03", 503), ("57014", 504),
            ("25P03", 500), ("25P02", 500), ("25001", 500), ("23505", 409), ("23503", 409), ("23P01", 409),
            ("23502", 422), ("23514", 422), ("22001", 422), ("22003", 422), ("22007", 422), ("22008", 422),
            ("22P02", 422), ("54000", 422), ("22021", 400), ("22P05", 400), ("0A000", 500), ("26000", 500),
            ("42P01", 500),
            ("42703", 500), ("42883", 500), ("42501", 500), ("28000", 503), ("28P01", 503), ("XX000", 500),
        ] as [(String, Int)])
    func `every SQLSTATE has an HTTP status`(state: String, status: Int) {
        let error = PostgresError(.server, state: SQLState(state), message: "secret", constraint: "secret_key")
        let answer = error.httpError
        #expect(answer.status.code == status)
        #expect(!answer.message.contains("secret"))
        #expect((answer.headers[.retryAfter] == "1") == (status == 503))
    }

    @Test(
        arguments: [
            (.unreachable, 503), (.notSent, 503), (.lost, 503), (.terminated, 503), (.aborted, 503), (.busy, 503),
            (.deadline, 504),
        ] as [(PostgresError.Kind, Int)])
    func `every error without SQLSTATE has an HTTP status`(kind: PostgresError.Kind, status: Int) {
        #expect(PostgresError(kind, message: "secret").httpError.status.code == status)
    }

    @Test(
        arguments: [
            (.notSent, 503, false), (.terminated, 503, false), (.busy, 503, false), (.lost, 502, true),
            (.deadline, 504, true),
        ] as [(PostgresError.Kind, Int, Bool)])
    func `a change with unknown outcome is reported as such, without Retry-After`(
        kind: PostgresError.Kind, status: Int, isUnknown: Bool
    ) async {
        let answer = await httpError(ofChange: kind)
        #expect(answer?.status.code == status)
        #expect(answer?.message.contains("may have been made") == isUnknown)
        #expect((answer?.headers[.retryAfter] == nil) == isUnknown)
    }

    @Test(arguments: [.lost, .deadline, .terminated] as [PostgresError.Kind])
    func `a change whose connection is lost before COMMIT was not made, and may be retried`(kind: PostgresError.Kind)
        async
    {
        let answer = await httpError(ofChange: kind, .inTransaction)
        #expect(answer?.status == .serviceUnavailable && answer?.headers[.retryAfter] == "1")
    }

    @Test func `a change that Postgres cancelled was not made, and may be retried`() async {
        do {
            try await PostgresError.ofChange { throw PostgresError(.server, state: "57014", message: "secret") }
        } catch {
            let answer = (error as? PostgresError)?.httpError
            #expect(answer?.status == .serviceUnavailable && answer?.headers[.retryAfter] == "1")
            #expect(answer?.message.contains("nothing was changed") == true)
        }
    }

    @Test func `when the server ends the session during COMMIT the outcome is unknown`() async {
        #expect(await httpError(ofChange: .terminated, .commit)?.status == .badGateway)
    }

    private func httpError(ofChange kind: PostgresError.Kind, _ step: PostgresError.Step = .autocommit) async
        -> HTTPError?
    {
        do {
            try await PostgresError.ofChange(step) { throw PostgresError(kind, message: "secret") }
            return nil
        } catch { return (error as? PostgresError)?.httpError }
    }

    @Test(
        arguments: [
            ("database \"x\" does not exist", true), ("terminating connection due to administrator command", false),
            ("canceling authentication due to timeout", false), ("the database system is starting up", false),
        ] as [(String, Bool)])
    func `a connection is refused only for a reason that is not transient`(reason: String, isRefusal: Bool) {
        #expect(PostgresError(.unreachable, message: "FATAL:  \(reason)").isRefusal == isRefusal)
    }

    @Test func `prepared statements become stale when a table changes or the session is reset`() {
        #expect(PostgresError(.server, state: "26000", message: "").isStale)
        // The messages are translated (lc_messages).
        for (state, routine) in [
            ("0A000", "RevalidateCachedQuery"), ("42804", "CheckVarSlotCompatibility"),
            ("42703", "CheckVarSlotCompatibility"),
        ] {
            #expect(PostgresError(.server, state: SQLState(state), message: "", routine: routine).isStale)
            #expect(!PostgresError(.server, state: SQLState(state), message: "", routine: "other").isStale)
        }
    }
}
