import TestSupport
import Testing

/// The API contract, tested through nginx. Each line of the contract is one request, which is sent to a server of its
/// own with a new database that contains three rows.
@Suite struct ContractTests {
    /// A line of the contract: a request, and the expected response.
    struct Line: Sendable, CustomStringConvertible {
        let description: String
        let request: String
        var headers: [String] = []
        var body: String?
        let status: Int
        var contains = ""
        var fields: [String: String] = [:]
    }

    static let json = "Content-Type: application/json"
    static let patch = "Content-Type: application/merge-patch+json"

    static let lines: [Line] = [
        Line(
            description: "PUT replaces, and resets what is left out", request: "PUT /campaigns/1", headers: [json],
            body: #"{"name":"b"}"#, status: 200, contains: #""description":"","id":1,"is_active":true,"name":"b""#,
            fields: ["etag": "\"2\""]),
        Line(
            description: "PUT requires the required fields", request: "PUT /campaigns/1", headers: [json], body: "{}",
            status: 422, contains: #"{"field":"name","message":"name is required."}"#),
        Line(
            description: "PATCH changes only the given fields", request: "PATCH /campaigns/1", headers: [patch],
            body: #"{"is_active":false}"#,
            status: 200, contains: #""description":"d""#),
        Line(
            description: "null resets a field to its default", request: "PATCH /campaigns/1", headers: [patch],
            body: #"{"description":null}"#, status: 200, contains: #""description":"""#),
        Line(
            description: "null for name is rejected with 422", request: "PATCH /campaigns/1", headers: [json],
            body: #"{"name":null}"#,
            status: 422, contains: "name must not be null."),
        Line(
            description: "PATCH with another media type is rejected with 415", request: "PATCH /campaigns/1",
            headers: ["Content-Type: text/plain"], body: "{}", status: 415),
        Line(description: "DELETE is answered with 204", request: "DELETE /campaigns/1", status: 204),
        Line(description: "an unknown id is answered with 404", request: "DELETE /campaigns/1001", status: 404),
        Line(
            description: "an invalid id is rejected with 422", request: "PATCH /campaigns/x", headers: [patch],
            body: "{}", status: 422,
            contains: "id must be an integer"),
        Line(
            description: "an If-None-Match that matches yields 304, without a body", request: "GET /campaigns/1",
            headers: ["If-None-Match: \"7\", \"1\""], status: 304),
        Line(
            description: "If-None-Match: * yields 304", request: "GET /campaigns/1", headers: ["If-None-Match: *"],
            status: 304),
        Line(
            description: "an If-Match that does not match yields 412", request: "DELETE /campaigns/1",
            headers: ["If-Match: \"9\""], status: 412),
        Line(
            description: "If-Match: * matches an existing row", request: "DELETE /campaigns/1",
            headers: ["If-Match: *"],
            status: 204),
        Line(
            description: "a malformed If-Match is rejected with 400", request: "DELETE /campaigns/1",
            headers: ["If-Match: 1"],
            status: 400),
        Line(
            description: "a page has a link to the next one", request: "GET /campaigns/?limit=2", status: 200,
            contains: #""id":2,"#),
        Line(
            description: "an invalid limit is rejected with 422, with its name", request: "GET /campaigns/?limit=0",
            status: 422,
            contains: #""field":"limit""#),
        Line(
            description: "an invalid cursor is rejected with 422", request: "GET /campaigns/?limit=1&cursor=abc",
            status: 422,
            contains: #""field":"cursor""#),
        Line(
            description: "a sort by a field that is not sortable is rejected with 422",
            request: "GET /campaigns/?sort=description",
            status: 422,
            contains: #""field":"sort""#),
        Line(
            description: "q finds a substring of a name case-insensitively, also outside ASCII",
            request: "GET /campaigns/?q=%C3%89T%C3%89&fields=name", status: 200,
            contains: #"[{"name":"\u00e9t\u00e9 100%"}]"#),
        Line(
            description: "q matches % literally", request: "GET /campaigns/?q=0%25&fields=id", status: 200,
            contains: #"[{"id":3}]"#),
        Line(
            description: "a list can be filtered by a time", request: "GET /campaigns/?created_on%5Bgte%5D=2999-01-01",
            status: 200,
            contains: "[]"),
        Line(
            description: "a malformed filter is rejected with 422, with its name",
            request: "GET /campaigns/?is_active=yes",
            status: 422, contains: #""field":"is_active""#),
        Line(
            description: "count adds the number of rows", request: "GET /campaigns/?limit=1&count=true", status: 200,
            fields: ["x-total-count": "3"]),
        Line(
            description: "unknown parameters are ignored", request: "GET /campaigns/?unknown=1&fields=id", status: 200,
            contains: #"[{"id":1},{"id":2},{"id":3}]"#),
        Line(
            description: "with strict handling, unknown parameters are rejected with 422",
            request: "GET /campaigns/?unknown=1",
            headers: ["Prefer: handling=strict"], status: 422, contains: #""field":"unknown""#),
        Line(
            description: "CSV has a header row, and formulas are escaped", request: "GET /campaigns/?fields=id,name",
            headers: ["Accept: text/csv"], status: 200, contains: "id,name\r\n1,a\r\n2,'=1+1\r\n3,été 100%\r\n"),
        Line(
            description: "an Accept without an available media type is rejected with 406", request: "GET /campaigns/",
            headers: ["Accept: image/png"], status: 406),
        Line(
            description: "a client that accepts problem documents receives them", request: "GET /campaigns/1001",
            headers: ["Accept: application/problem+json"], status: 404,
            contains: #""title":"Not Found","type":"about:blank""#, fields: ["content-type": "application/problem+json"]
        ),
        Line(
            description: "return=minimal omits the row from 201", request: "POST /campaigns/",
            headers: [json, "Prefer: return=minimal"], body: #"{"name":"c"}"#, status: 201,
            fields: ["content-length": "0", "preference-applied": "return=minimal"]),
        Line(
            description: "return=minimal yields 204 instead of 200", request: "PATCH /campaigns/1",
            headers: [patch, "Prefer: return=minimal"], body: "{}", status: 204),
        Line(
            description: "an array creates all of its rows", request: "POST /campaigns/", headers: [json],
            body: #"[{"name":"c"},{"name":"d"}]"#, status: 201, contains: #""name":"d""#),
        Line(
            description: "an array with an invalid element creates no row, and the error has its index",
            request: "POST /campaigns/",
            headers: [json], body: #"[{"name":"c"},{"name":""}]"#, status: 422, contains: #""field":"name","index":1"#),
        Line(
            description: "an empty array is rejected with 422", request: "POST /campaigns/", headers: [json],
            body: "[]", status: 422),
        Line(
            description: "a filter selects the rows to change", request: "PATCH /campaigns/?id[in]=1,2,99",
            headers: [patch],
            body: #"{"name":"x"}"#, status: 200, contains: #"{"affected":2}"#),
        Line(
            description: "a filter selects the rows to delete", request: "DELETE /campaigns/?name=a", status: 200,
            contains: #"{"affected":1}"#),
        Line(description: "DELETE without a filter is rejected with 422", request: "DELETE /campaigns/", status: 422),
        Line(
            description: "an Idempotency-Key with a space is rejected with 400", request: "POST /campaigns/",
            headers: [json, "Idempotency-Key: a b"], body: #"{"name":"c"}"#, status: 400),
        Line(
            description: "the OpenAPI document is served", request: "GET /openapi.json", status: 200,
            contains: #""openapi":"3.1.0""#),
    ]

    @Test(arguments: lines) func `the contract`(line: Line) throws {
        let stack = try Stack(loops: 1)
        try stack.database.sql(
            "INSERT INTO campaign (name, description) VALUES ('a', 'd'), ('=1+1', ''), ('été 100%', '')")
        let parts = line.request.split(separator: " ").map(String.init)
        let answer = try stack.request(parts[0], parts[1], headers: line.headers, body: line.body)
        #expect(answer.status == line.status, "\(answer.body)")
        #expect(line.contains.isEmpty || answer.body.contains(line.contains), "\(answer.body)")
        for (name, value) in line.fields { #expect(answer.headers[name] == value) }
        if [204, 304].contains(line.status) { #expect(answer.body.isEmpty && answer.headers["content-length"] == nil) }
        if line.status >= 400 { #expect(answer.body.hasPrefix("{\"") && answer.body.contains("\"request_id\":\"")) }
        let isChange = !["GET", "HEAD"].contains(parts[0]) && line.status >= 400
        #expect(
            try !isChange
                || stack.database.sql("SELECT string_agg(name || version, ',' ORDER BY id) FROM campaign")
                    == "a1,=1+11,été 100%1"
        )
    }
}
