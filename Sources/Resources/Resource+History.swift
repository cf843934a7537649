import HTTPTypes
import ORM
import Web

/// The maximum and the default number of changes on a page of a row's history.
let historyLimits = (maximum: 100, default: 20)

extension Resource {
    /// Handles `GET /<id>/history`: responds with a page of the row's changes, the latest first, and a link to earlier
    /// ones.
    func history(_ request: Request) async throws -> Response {
        _ = try request.negotiate([.json])
        let (limit, position) = try page(request)
        let id = try id(request)
        let records = try await withHTTPErrors { try await service.history(of: id, before: position, limit: limit) }
        var response = Response.json { json in
            json.beginArray()
            for record in records { write(record, to: &json) }
            json.endArray()
        }
        if let last = records.last, last.hasEarlier {
            let url = request.url(with: "cursor", String(last.id))
            response.headers[.link] = "<\(url)>; rel=\"next\""
        }
        if request.preferences.isStrict { response.headers[.preferenceApplied] = "handling=strict" }
        return response
    }

    /// Parses the query parameters of a page of the history: the limit and the cursor.
    /// - Throws: 422, with the invalid parameters.
    private func page(_ request: Request) throws(HTTPError) -> (limit: Int, position: Int64) {
        typealias Query = ListQuery<Row>
        var (limit, position, problems) = (Int?.none, Int64?.none, [HTTPError.Field]())
        for parameter in request.query.parameters {
            do throws(FieldProblem) {
                switch parameter.fullName {
                case "limit":
                    limit = try Query.single(limit, Query.limit(parameter.value, upTo: historyLimits.maximum))
                case "cursor":
                    guard let number = try? Int64(parameter: parameter.value), number > 0 else {
                        throw FieldProblem("must come from this list")
                    }
                    position = try Query.single(position, number)
                default: if request.preferences.isStrict { throw FieldProblem("is not known") }
                }
            } catch { problems.append(parameter.problem(error)) }
        }
        guard problems.isEmpty else {
            throw HTTPError(.unprocessableContent, "The query is not valid.", fields: problems)
        }
        return (limit ?? historyLimits.default, position ?? .max)
    }

    private func write(_ record: ChangeRecord<Row>, to json: inout JSONWriter) {
        json.beginObject()
        json.member("after", record.after.map { RowJSON(row: $0, writer: fields.writer) })
        json.member("author", record.author)
        json.member("before", record.before.map { RowJSON(row: $0, writer: fields.writer) })
        json.member("changed_on", record.changedOn)
        json.member("id", record.id)
        json.member("operation", record.operation.rawValue)
        json.member("request_id", record.requestID)
        json.endObject()
    }
}

private struct RowJSON<Row: Model>: JSONWritable {
    let row: Row
    let writer: RowWriter<Row>

    func write(to json: inout JSONWriter) { writer.write(row, to: &json) }
}
