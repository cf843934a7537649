import EventLoop
import HTTPTypes
import Postgres
import Web

/// A test client that records the statements of each request, and fails when a request executes a statement three
/// times or more (N+1 queries).
///
/// Every statement is checked against the database, once: see `StatementCheck`. Every response is checked against the
/// documentation of its route.
public struct RecordingClient: Sendable {
    private let application: Application
    private let client: TestClient
    private let check: StatementCheck

    /// Creates a client of an application that uses this database.
    public init(_ application: Application, _ configuration: PostgresConfiguration) {
        self.application = application
        client = TestClient(application)
        check = StatementCheck(configuration)
    }

    /// A response, and the statements that were executed for it.
    @dynamicMemberLookup
    public struct Answer: Sendable {
        let answer: TestClient.CollectedResponse
        /// The statements, in the order of execution.
        public let statements: [ExecutedStatement]

        /// A member of the response, such as its status.
        public subscript<Value>(dynamicMember path: KeyPath<TestClient.CollectedResponse, Value>) -> Value {
            answer[keyPath: path]
        }
    }

    /// Sends a request.
    /// - Throws: `RepeatedStatement`, `UndocumentedAnswer`, and the errors of `StatementCheck`.
    public func send(
        _ method: HTTPRequest.Method, _ target: String, headers: HeaderFields = [:], body: String = ""
    ) async throws -> Answer {
        let (answer, statements) = try await recordingQueries {
            try await client.send(method, target, headers: headers, body: Array(body.utf8))
        }
        for statement in statements where statement.error == nil { try await check(statement) }
        if let operation = application.route(of: method, target)?.operation { try operation.checkDocuments(answer) }
        return Answer(answer: answer, statements: statements)
    }

    /// Sends a request without a body.
    public func get(_ target: String) async throws -> Answer { try await send(.get, target) }

    /// Sends JSON.
    public func post(_ target: String, _ body: String) async throws -> Answer {
        try await send(.post, target, headers: [.contentType: "application/json"], body: body)
    }
}

/// A response that the documentation of its route does not contain.
public struct UndocumentedAnswer: Error, CustomStringConvertible {
    public let description: String
}

extension Operation {
    /// Checks that a response with this status and media type is documented.
    /// - Throws: `UndocumentedAnswer` if it is not.
    fileprivate func checkDocuments(_ answer: TestClient.CollectedResponse) throws {
        let media = answer.headers[.contentType].map { MediaType($0.prefix { $0 != ";" }) }
        let isDocumented = responses.contains { documented in
            documented.status == answer.status
                && (answer.body.isEmpty || documented.contents.contains { $0.mediaType == media })
        }
        guard isDocumented else {
            throw UndocumentedAnswer(description: "\(id) answered \(answer.status) as \(media?.name ?? "nothing")")
        }
    }
}

/// A statement that was executed three times or more in one request: most likely an N+1 query.
public struct RepeatedStatement: Error, CustomStringConvertible {
    public let description: String
}

/// A number of statements that differs from the expected one.
public struct UnexpectedQueries: Error, CustomStringConvertible {
    public let description: String
}

/// Runs `body`, and records the statements that it executes.
/// - Throws: `RepeatedStatement`, and whatever `body` throws.
public func recordingQueries<Value>(_ body: () async throws -> Value) async throws -> (Value, [ExecutedStatement]) {
    let (outer, recorder) = (QueryRecorder.current, QueryRecorder())
    let value = try await QueryRecorder.$current.withValue(recorder) { try await body() }
    for statement in recorder.statements { outer?.record(statement) }
    if let repeated = recorder.repeated.first {
        throw RepeatedStatement(
            description: "the same statement ran \(repeated.count) times in one request:\n" + lines(repeated))
    }
    return (value, recorder.statements)
}

/// Runs `body`, and checks that it executes exactly `count` statements.
/// - Throws: `UnexpectedQueries`, which lists the executed statements, `RepeatedStatement`, and whatever `body` throws.
@discardableResult
public func expectQueries<Value>(_ count: Int, _ body: () async throws -> Value) async throws -> Value {
    let (value, statements) = try await recordingQueries(body)
    guard statements.count == count else {
        throw UnexpectedQueries(description: "\(statements.count) queries, not \(count):\n" + lines(statements))
    }
    return value
}

private func lines(_ statements: [ExecutedStatement]) -> String {
    statements.map { "  \($0)" }.joined(separator: "\n")
}
