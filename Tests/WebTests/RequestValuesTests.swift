import HTTPTypes
import Testing

@testable import Web

/// The parsing of the query and of header fields.
@Suite struct RequestValuesTests {
    private func request(_ target: String = "/", _ fields: (HTTPField.Name, String)...) -> Request {
        var headers: HeaderFields = [:]
        for (name, value) in fields { headers.append(name, value) }
        return Request(method: .get, target: target, headers: headers)
    }

    // MARK: Header fields

    @Test func `appended fields keep their names, their values and their order`() throws {
        let name = try #require(HTTPField.Name("unused"))
        let fields = [HTTPField.Name.accept, name, .accept, .cookie].map { HTTPField(name: $0, value: "a=1; b, c") }
        var headers: HeaderFields = [.accept: "*/*"]
        for field in fields { headers.append(field) }
        headers.append(.eTag, "x")
        #expect(headers.map(\.name) == [.accept, .accept, name, .accept, .cookie, .eTag])
        #expect(headers.map(\.value) == ["*/*"] + fields.map(\.value) + ["x"])
    }

    // MARK: Query

    @Test(arguments: [
        ("a=1", [["a", nil, "1"]]), ("a=1&b=2", [["a", nil, "1"], ["b", nil, "2"]]),
        ("a=1&a=2&a=1", [["a", nil, "1"], ["a", nil, "2"], ["a", nil, "1"]]), ("", []), ("&&", []),
        ("&a=1&&b=2&", [["a", nil, "1"], ["b", nil, "2"]]), ("a", [["a", nil, ""]]), ("a=", [["a", nil, ""]]),
        ("=1", [["", nil, "1"]]), ("=", [["", nil, ""]]), ("a=b=c", [["a", nil, "b=c"]]),
        ("a+b=c+d", [["a b", nil, "c d"]]), ("a=%2B%2b", [["a", nil, "++"]]),
        ("a%20b=%26%3D%23", [["a b", nil, "&=#"]]), ("a=%C3%A4%e2%82%ac", [["a", nil, "ä€"]]),
        ("a=?&b=/", [["a", nil, "?"], ["b", nil, "/"]]), ("a=100%", [["a", nil, "100%"]]),
        ("a=%4", [["a", nil, "%4"]]), ("a=%zz%+1%-1%-0", [["a", nil, "%zz% 1%-1%-0"]]),
        ("a[gte]=1", [["a", "gte", "1"]]), ("a%5Bin%5d=1,2", [["a", "in", "1,2"]]), ("a[]=1", [["a", "", "1"]]),
        ("a[gte%D8%80]=1", [["a", "gte\u{600}", "1"]]),
        ("[x]=1", [["", "x", "1"]]), ("a[b][c]=1", [["a", "b][c", "1"]]), ("a]=1", [["a]", nil, "1"]]),
        ("a[=1", [["a[", nil, "1"]]), ("a[b]c=1", [["a[b]c", nil, "1"]]), ("a=[b]", [["a", nil, "[b]"]]),
        ("a=%FF", [["a", nil, "\u{fffd}"]]), ("%C3=x", [["\u{fffd}", nil, "x"]]), ("a=%00", [["a", nil, "\0"]]),
        ("a=1;b=2", [["a", nil, "1;b=2"]]),
    ]) func `a query is parsed into decoded parameters, in order`(text: String, expected: [[String?]]) {
        let parameters = Query(text).parameters
        #expect(parameters.map { [$0.name, $0.operation, $0.value] } == expected)
        #expect(request("/things?" + text).query.parameters == parameters)
    }

    @Test(arguments: ["a", "a b", "a[gte]", "a[]", "[x]", "a[b][c]", "a]", "ä[ö]"])
    func `the full name of a parameter is the decoded name with its operator`(name: String) {
        let encoded = name.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(Query("\(encoded)=1").parameters.map(\.fullName) == [name])
    }

    @Test func `parameters are found by the exact bytes of their names`() {
        let query = Query("a=1&b=2&a[gt]=3&A=4&a=5&%C3%A4=6&a%CC%88=7")
        #expect(query.all("a").map(\.value) == ["1", "3", "5"])
        #expect(query.all("ä").map(\.value) == ["6"])
        #expect(query.all("none").isEmpty)
    }

    @Test(arguments: [
        ("/a", "/a?cursor=new"), ("/a?", "/a?cursor=new"), ("/a?limit=2", "/a?limit=2&cursor=new"),
        ("/a?cursor=old", "/a?cursor=new"), ("/a?cursor=old&limit=2", "/a?limit=2&cursor=new"),
        ("/a?x=1&cursor=old&cursor&y=%20+", "/a?x=1&y=%20+&cursor=new"), ("/a?%63ursor=old", "/a?cursor=new"),
        ("/a?cursor[x]=1&cursors=2", "/a?cursor[x]=1&cursors=2&cursor=new"),
        ("/a?x=1&\u{301}=2&cursor=old", "/a?x=1&%CC%81=2&cursor=new"),
        ("/a?cursor=old&\u{301}=2", "/a?%CC%81=2&cursor=new"),
        ("/a?x=a>;rel=\"y\"&y[in]=1,2", "/a?x=a%3E;rel=%22y%22&y[in]=1,2&cursor=new"),
    ]) func `replacing a parameter in the URL keeps the others, and encodes what URLs may not contain`(
        target: String, expected: String
    ) {
        #expect(request(target).url(with: "cursor", "new") == expected)
        #expect(
            request(target, (.hostName, "example.org")).url(with: "cursor", "new") == "http://example.org" + expected)
    }

    @Test(arguments: [("/a/b", "/a/b"), ("/a?b", "/a"), ("/a%3Fb?c?d", "/a%3Fb"), ("/a?\u{301}", "/a")])
    func `the path ends before the first question mark`(target: String, path: String) {
        #expect(request(target).path == path)
    }

    // MARK: Accept

    @Test(arguments: [
        ("text/csv", 1000), ("text/csv;q=0.5", 500), ("text/csv; q=0.25", 250), ("text/csv ;\tq=0.125", 125),
        ("text/csv;Q=0.5", 500), ("text/csv;q=1", 1000), ("text/csv;q=1.000", 1000), ("text/csv;q=0", 0),
        ("text/csv;q=0.000", 0), ("text/csv;q=0.", 0), ("text/csv;q=0.001", 1), ("TEXT/CSV;q=0.3", 300),
        ("text/csv;header=present;q=0.2", 200), ("*/*;q=0.1", 100), ("text/*;q=0.2", 200),
        ("text/*;q=0.2, */*;q=0.9", 200), ("*/*;q=0.9, text/*;q=0.2", 200), ("text/csv;q=0.1, text/*, */*", 100),
        ("text/*, text/csv;q=0", 0), ("text/csv;q=0.1, text/csv;q=0.7", 700), ("text/html", 0), ("application/*", 0),
        ("", 1000), (",,", 1000), ("csv", 1000), ("csv, text/html", 0), (", text/csv;q=0.4 ,", 400),
        // A malformed weight counts as 1.
        ("text/csv;q=", 1000), ("text/csv;q=x", 1000), ("text/csv;q=0.x", 1000), ("text/csv;q=2", 1000),
        ("text/csv;q=-1", 1000), ("text/csv;q=0.-1", 1000), ("text/csv;q=0.+5", 1000),
        ("text/csv;q=-0.5", 1000), ("text/csv;q=00.5", 1000), ("text/csv;q=0.1234", 1000), ("text/csv;q=05", 1000),
    ]) func `the most specific media range determines the weight`(accept: String, quality: Int) {
        #expect(Accept(accept).quality(of: .csv) == quality)
    }

    @Test(arguments: [
        ("*/*", "application/json"), ("application/*", "application/json"), ("text/*", "text/csv"),
        ("text/csv", "text/csv"), ("Text/CSV", "text/csv"), ("text/csv, application/json", "application/json"),
        ("text/csv, application/json;q=0.9", "text/csv"), ("text/csv;q=0.1, */*", "application/json"),
        ("application/json;q=0, */*", "text/csv"), ("application/json;q=0.1, */*;q=0.2", "text/csv"),
        ("application/problem+json", "application/json"), ("application/problem+json, text/csv;q=0.5", "text/csv"),
        ("APPLICATION/PROBLEM+JSON", "application/json"), ("text/html, */*;q=0.001", "application/json"),
        ("nonsense", "application/json"), ("", "application/json"),
    ]) func `the offer with the greatest weight is chosen, and the first of several`(accept: String, chosen: String)
        throws
    {
        #expect(try request("/", (.accept, accept)).negotiate([.json, .csv]).name == chosen)
    }

    @Test func `without Accept every media type is acceptable`() throws {
        #expect(try request().negotiate([.csv, .json]) == .csv)
    }

    @Test func `several fields with one name are combined into one list`() throws {
        let accept = request("/", (.accept, "application/json;q=0.1"), (.accept, "text/csv;q=0.2"))
        #expect(try accept.negotiate([.json, .csv]) == .csv)
        let prefer = request("/", (.prefer, "return=minimal"), (.prefer, "handling=strict"))
        #expect(prefer.preferences.isMinimal && prefer.preferences.isStrict)
        let tags = try request("/", (.ifMatch, "\"1\""), (.ifMatch, "W/\"2\"")).ifMatch()
        #expect(tags == .tags([EntityTag("1"), EntityTag("2")]))
    }

    @Test(arguments: [
        "text/html", "application/json;q=0", "*/*;q=0", "image/*", "application/problem+json;q=0", "text/html, x",
        "application/jsonp",
    ]) func `an Accept that matches no offer is rejected with 406, and the message lists the offers`(accept: String) {
        let error = #expect(throws: HTTPError.self) { try request("/", (.accept, accept)).negotiate([.json]) }
        #expect(error?.status == .notAcceptable)
        #expect(error?.message == "Available as application/json: change the Accept header field.")
    }

    @Test(arguments: [
        ("application/json", true), ("Application/JSON", true), ("application/merge-patch+json", true),
        ("application/problem+json", true), (" application/json ", true), ("text/json", false), ("json", false),
        ("application/jsonx", false), ("text/x+json", false), ("", false), ("/", false),
    ]) func `application types with the subtype json or the suffix +json are JSON`(text: String, isJSON: Bool) {
        #expect(MediaType(text).isJSON == isJSON)
    }

    // MARK: Prefer

    @Test(arguments: [
        ("return=minimal", true, false), ("handling=strict", false, true),
        ("return=minimal, handling=strict", true, true), ("Return=Minimal", true, false),
        ("return = \"minimal\"", true, false), ("return=minimal; x=1", true, false),
        ("wait=10,return=minimal", true, false), ("return=representation", false, false),
        ("return=representation, return=minimal", false, false), ("return=minimal, return=representation", true, false),
        ("handling=lenient", false, false), ("handling=lenient, handling=strict", false, false),
        ("return", false, false), ("minimal", false, false), ("return=minimalist", false, false), ("", false, false),
        (",;,", false, false),
    ]) func `preferences are parsed, and the first one of a name counts`(
        prefer: String, isMinimal: Bool, isStrict: Bool
    ) {
        let preferences = request("/", (.prefer, prefer)).preferences
        #expect(preferences.isMinimal == isMinimal && preferences.isStrict == isStrict)
    }

    // MARK: Entity tags

    @Test(arguments: [
        ("\"1\"", ["1"]), ("\"1\", \"2\"", ["1", "2"]), ("\"1\",\"2\"", ["1", "2"]), ("\"1\"\t,\t\"2\"", ["1", "2"]),
        (" , \"1\" ,, \"2\" , ", ["1", "2"]), ("W/\"1\"", ["1"]), ("W/\"1\", \"2\"", ["1", "2"]), ("\"a,b\"", ["a,b"]),
        ("\"a, \", \"*\"", ["a, ", "*"]), ("\"\"", [""]), ("\"W/\"", ["W/"]), ("\"ä\"", ["ä"]),
        ("\"a\\\"", ["a\\"]),
    ]) func `a condition is parsed as a list of tags`(text: String, tags: [String]) throws {
        for name in [HTTPField.Name.ifMatch, .ifNoneMatch] {
            let request = request("/", (name, text))
            let condition = name == .ifMatch ? try request.ifMatch() : try request.ifNoneMatch()
            #expect(condition == .tags(tags.map { EntityTag($0) }))
            for tag in tags { #expect(condition?.contains(EntityTag(tag)) == true) }
            #expect(condition?.contains(EntityTag("other")) == false)
        }
    }

    @Test(arguments: ["*", " * "]) func `an asterisk matches any tag`(text: String) throws {
        let condition = try request("/", (.ifNoneMatch, text)).ifNoneMatch()
        #expect(condition == .any && condition?.contains(EntityTag("x")) == true)
    }

    @Test func `without the field there is no condition`() throws {
        #expect(try request().ifMatch() == nil)
        #expect(try request().ifNoneMatch() == nil)
        #expect(EntityTag("3").value == "\"3\"")
    }

    @Test(arguments: [
        "", " ", ",", "1", "\"", "\"1", "1\"", "\"1\" 2", "\"1\"2", "\"1\"\"2\"", "\"1\" \"2\"", "w/\"1\"", "W\"1\"",
        "W/ \"1\"", "W/", "W/1", "*, \"1\"", "\"1\", *", "**", "'1'",
    ]) func `a malformed condition is rejected with 400`(text: String) {
        for name in [HTTPField.Name.ifMatch, .ifNoneMatch] {
            let error = #expect(throws: HTTPError.self) {
                let request = request("/", (name, text))
                _ = name == .ifMatch ? try request.ifMatch() : try request.ifNoneMatch()
            }
            #expect(error?.status == .badRequest)
            #expect(error?.message.hasPrefix("\(name) must be") == true)
        }
    }
}
