import HTTPTypes
import Testing

@testable import Web

/// Error responses: in the default format, and as problem details (RFC 9457) for clients that prefer those.
@Suite struct ProblemTests {
    private func client() throws -> TestClient {
        var things = Blueprint("things")
        things.get("/fields") { _ in
            let fields = [HTTPError.Field("name", "is taken", index: 3), HTTPError.Field("x", "is not known")]
            throw HTTPError(.unprocessableContent, "Not valid.", fields: fields)
        }
        things.get("/many") { _ in
            throw HTTPError(.unprocessableContent, "Not valid.", fields: (0..<23).map { .init("f\($0)", "is wrong") })
        }
        things.get("/busy") { _ in throw HTTPError(.serviceUnavailable, "Busy.", headers: [.retryAfter: "1"]) }
        things.get("/broken") { _ in throw CancellationError() }
        things.get("/fine") { _ in .json("fine") }
        things.get("/negotiated") { .json(try $0.negotiate([.json, .csv]).name) }
        var app = Application()
        try app.mount(things, at: "/things")
        return TestClient(app)
    }

    private func ask(_ path: String, _ accept: String?) async throws -> TestClient.CollectedResponse {
        var headers: HeaderFields = [.requestID: "r-1"]
        if let accept { headers[.accept] = accept }
        return try await client().get("/things" + path, headers: headers)
    }

    private static let errors =
        #"[{"field":"name","index":3,"message":"is taken"},{"field":"x","message":"is not known"}]"#

    @Test(arguments: [
        nil, "*/*", "application/*", "application/json", "text/csv", "application/problem+json;q=0", "problem+json",
        "application/problem+xml", "text/problem+json", "",
    ]) func `an error has the default format unless the client lists problem details`(accept: String?) async throws {
        let answer = try await ask("/fields", accept)
        #expect(answer.status == .unprocessableContent)
        #expect(answer.headers[.contentType] == "application/json")
        #expect(answer.text == #"{"errors":\#(Self.errors),"message":"Not valid.","request_id":"r-1"}"# + "\n")
    }

    @Test(arguments: [
        "application/problem+json", "Application/Problem+JSON", "application/json, application/problem+json",
        "application/problem+json;q=0.1", "text/csv, application/problem+json;q=0.5, */*;q=0.1",
        "application/problem+json; charset=utf-8",
    ]) func `an error is sent as problem details to clients that prefer them`(accept: String) async throws {
        let answer = try await ask("/fields", accept)
        #expect(answer.status == .unprocessableContent)
        #expect(answer.headers[.contentType] == "application/problem+json")
        #expect(answer.headers.values(of: .contentType).count == 1)
        #expect(answer.headers[.contentLength] == String(answer.body.count))
        #expect(
            answer.text
                == #"{"detail":"Not valid.","errors":\#(Self.errors),"message":"Not valid.","request_id":"r-1","#
                + #""status":422,"title":"Unprocessable Content","type":"about:blank"}"# + "\n")
    }

    @Test(arguments: [
        ("/nowhere", 404, "Not Found", "Not found."),
        ("/broken", 500, "Internal Server Error", "Internal Server Error"),
        ("/busy", 503, "Service Unavailable", "Busy."),
    ]) func `every kind of error can be sent as problem details`(
        path: String, status: Int, title: String, detail: String
    ) async throws {
        let answer = try await ask(path, "application/problem+json")
        #expect(answer.status.code == status)
        #expect(answer.headers[.contentType] == "application/problem+json")
        #expect(
            answer.text
                == #"{"detail":"\#(detail)","message":"\#(detail)","request_id":"r-1","status":\#(status),"#
                + #""title":"\#(title)","type":"about:blank"}"# + "\n")
        if status == 503 { #expect(answer.headers[.retryAfter] == "1") }
    }

    @Test func `405 is sent as problem details too, with Allow`() async throws {
        let answer = try await client().send(.delete, "/things/fine", headers: [.accept: "application/problem+json"])
        #expect(answer.status == .methodNotAllowed && answer.headers[.allow] == "GET, HEAD, OPTIONS")
        #expect(answer.headers[.contentType] == "application/problem+json")
    }

    @Test func `only the first twenty errors are listed, with the number of the others`() async throws {
        for accept in ["application/json", "application/problem+json"] {
            guard case .object(let error) = try await ask("/many", accept).json,
                case .array(let errors) = error["errors"]
            else {
                Issue.record("no errors")
                continue
            }
            #expect(errors.count == 20 && error["more_errors"] == 3)
        }
    }

    @Test func `a successful response is plain JSON even for clients that accept problem details`() async throws {
        for path in ["/fine", "/negotiated"] {
            let answer = try await ask(path, "application/problem+json")
            #expect(answer.status == .ok && answer.headers[.contentType] == "application/json")
        }
    }

    @Test func `406 is sent as JSON when problem details are not acceptable`() async throws {
        let answer = try await ask("/negotiated", "text/html, application/problem+json;q=0")
        #expect(answer.status == .notAcceptable && answer.headers[.contentType] == "application/json")
    }
}
