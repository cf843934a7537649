import HTTPTypes
import Resources
import Testing
import Web

@testable import AktifyAPI
@testable import Postgres

/// What a client gets to know of each error of the database's.
@Suite struct DatabaseErrorTests {
    @Test(
        arguments: [
            ("40001", 503), ("40P01", 503), ("08000", 503), ("08006", 503), ("57P01", 503), ("57P02", 503),
            ("57P03", 503), ("53300", 503), ("53100", 503), ("25006", 503), ("55P03", 503), ("57014", 504),
            ("25P03", 500), ("25P02", 500), ("25001", 500), ("23505", 409), ("23503", 409), ("23P01", 409),
            ("23502", 422), ("23514", 422), ("22001", 422), ("22003", 422), ("22007", 422), ("22008", 422),
            ("22P02", 422), ("22021", 400), ("22P05", 400), ("0A000", 500), ("26000", 500), ("42P01", 500),
            ("42703", 500), ("42883", 500), ("42501", 500), ("28000", 503), ("28P01", 503), ("XX000", 500),
        ] as [(String, Int)])
    func `a state of Postgres's has one HTTP answer`(state: String, status: Int) {
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
    func `so has one without a state`(kind: PostgresError.Kind, status: Int) {
        #expect(PostgresError(kind, message: "secret").httpError.status.code == status)
    }

    @Test(
        arguments: [
            (.notSent, 503, false), (.terminated, 503, false), (.busy, 503, false), (.lost, 502, true),
            (.deadline, 504, true),
        ] as [(PostgresError.Kind, Int, Bool)])
    func `a change of which nobody knows whether it was made says so, and is not to be sent again`(
        kind: PostgresError.Kind, status: Int, isUnknown: Bool
    ) async {
        let answer = await httpError(ofChange: kind)
        #expect(answer?.status.code == status)
        #expect(answer?.message.contains("may have been made") == isUnknown)
        #expect((answer?.headers[.retryAfter] == nil) == isUnknown)
    }

    @Test(arguments: [.lost, .deadline, .terminated] as [PostgresError.Kind])
    func `what is lost before its COMMIT was sent was not made`(kind: PostgresError.Kind) async {
        let answer = await httpError(ofChange: kind, .inTransaction)
        #expect(answer?.status == .serviceUnavailable && answer?.headers[.retryAfter] == "1")
    }

    @Test func `a change that Postgres gave up was not made, and may be sent again`() async {
        do {
            try await PostgresError.ofChange { throw PostgresError(.server, state: "57014", message: "secret") }
        } catch {
            let answer = (error as? PostgresError)?.httpError
            #expect(answer?.status == .serviceUnavailable && answer?.headers[.retryAfter] == "1")
            #expect(answer?.message.contains("nothing was changed") == true)
        }
    }

    @Test func `a COMMIT that the server ended the session in place of answering may have been carried out`() async {
        #expect(await httpError(ofChange: .terminated, .commit)?.status == .badGateway)
    }

    private func httpError(ofChange kind: PostgresError.Kind, _ step: PostgresError.Step = .autocommit) async -> HTTPError? {
        do {
            try await PostgresError.ofChange(step) { throw PostgresError(kind, message: "secret") }
            return nil
        } catch { return (error as? PostgresError)?.httpError }
    }

    @Test func `what was prepared goes stale by a changed table, and by a session that was reset`() {
        #expect(PostgresError(.server, state: "26000", message: "").isStale)
        #expect(
            PostgresError(.server, state: "0A000", message: "cached plan must not change result type").isStale)
        #expect(!PostgresError(.server, state: "0A000", message: "something else").isStale)
        for (state, change) in [("42804", "has wrong type"), ("42703", "has been dropped")] {
            let message = "attribute 2 of type record \(change)"
            #expect(PostgresError(.server, state: SQLState(state), message: message).isStale)
            #expect(!PostgresError(.server, state: SQLState(state), message: "something else").isStale)
        }
    }
}
