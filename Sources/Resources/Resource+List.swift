import HTTPTypes
import ORM
import SQL
import Synchronization
import Web

extension Resource {
    /// Handles `GET /`: responds with a page and a link to the next page, or with the whole list, which is streamed
    /// when it is long.
    func list(_ request: Request) async throws -> Response {
        let media = try request.negotiate([.json, .csv])
        guard request.target.utf8.contains(UInt8(ascii: "?")) || request.hasPreferences else {
            return try await wholeList(request, unfilteredList, media)
        }
        let query = try ListQuery(request.query, of: fields, isStrict: request.preferences.isStrict)
        async let total = query.wantsCount ? service.count(query.select) : nil
        var response =
            if let limit = query.limit {
                try await page(request, query, limit, media)
            } else {
                try await wholeList(request, query, media)
            }
        if let total = try await total { response.headers[.totalCount] = String(total) }
        if request.preferences.isStrict { response.headers[.preferenceApplied] = "handling=strict" }
        return response
    }

    /// Returns the response with a page. One row more than the limit is read to find out whether there is a next page.
    private func page(
        _ request: Request, _ query: ListQuery<Row>, _ limit: Int, _ media: MediaType
    ) async throws -> Response {
        let rows = try await service.list(query.select.limit(limit + 1))
        var response = buffered(Array(rows.prefix(limit)), query, media)
        if rows.count > limit {
            let url = request.url(with: "cursor", query.cursor(after: rows[limit - 1]))
            response.headers[.link] = "<\(url)>; rel=\"next\""
        }
        return response
    }

    /// Returns the response with the whole list. A short list is buffered and has a `Content-Length`; to find out
    /// whether the list is short, one row more than the maximum of a short list is read.
    private func wholeList(
        _ request: Request, _ query: ListQuery<Row>, _ media: MediaType
    ) async throws -> Response {
        let short = rowSize.shortListLimit
        if short > 0 {
            let rows = try await service.list(query.select.limit(short + 1))
            if rows.count <= short {
                let response = buffered(rows, query, media)
                if case .bytes(let bytes) = response.body { rowSize.record(bytes.count, rows: rows.count) }
                return response
            }
        }
        guard !request.isHTTP10 else {
            throw HTTPError(
                .httpVersionNotSupported,
                "This list is long, and HTTP/1.0 cannot signal a truncated response: use HTTP/1.1, or pages (limit)."
            )
        }
        return streamed(query, media)
    }

    /// Returns a buffered response with all the given rows.
    private func buffered(_ rows: [Row], _ query: ListQuery<Row>, _ media: MediaType) -> Response {
        guard media == .json else {
            let csv = CSV<Row>(fields: query.fields)
            return Response(.ok, headers: Self.csvHeaders, body: .bytes(csv.header + csv.lines(rows)))
        }
        return .json(headers: Self.vary) { json in
            json.beginArray()
            for row in rows { query.writer.write(row, to: &json) }
            json.endArray()
        }
    }

    private static var vary: HeaderFields { [.vary: "Accept"] }

    private static var csvHeaders: HeaderFields {
        [.contentType: "text/csv; charset=utf-8; header=present", .vary: "Accept"]
    }

    // MARK: Streaming

    /// Returns a streamed response with the rows that the query selects.
    private func streamed(_ query: ListQuery<Row>, _ media: MediaType) -> Response {
        guard media == .json else {
            let csv = CSV<Row>(fields: query.fields)
            return Response(
                .ok, headers: Self.csvHeaders,
                body: .stream { writer in
                    var header: [UInt8]? = csv.header
                    try await service.stream(query.select) { rows in
                        try await writer.write((header.take() ?? []) + csv.lines(rows))
                    }
                    if let header { try await writer.write(header) }
                })
        }
        return Response(
            .ok, headers: [.contentType: MediaType.json.name, .vary: "Accept"],
            body: .stream { writer in
                var isFirst = true
                try await service.stream(query.select) { rows in
                    let bytes = elements(rows, query.writer, isFirst: isFirst)
                    isFirst = false
                    rowSize.record(bytes.count, rows: rows.count)
                    try await writer.write(bytes)
                }
                try await writer.write(Array((isFirst ? "[]\n" : "]\n").utf8))
            })
    }

    /// Encodes rows as elements of a JSON array. The elements are preceded by the opening bracket if they are the first
    /// ones, and otherwise by a comma.
    private func elements(_ rows: [Row], _ writer: RowWriter<Row>, isFirst: Bool) -> [UInt8] {
        var json = JSONWriter()
        json.beginArray()
        for row in rows { writer.write(row, to: &json) }
        var bytes = json.take()
        if !isFirst { bytes[0] = UInt8(ascii: ",") }
        return bytes
    }
}

/// An estimate of the encoded size of a resource's rows, measured on previous lists. The estimate determines which
/// lists are short, and thus buffered.
final class RowSizeEstimate: Sendable {
    /// The estimated number of bytes per row; 0 before the first measurement.
    private let bytes = Atomic<Int>(0)

    private static let initialLimit = 100
    private static let maxRows = 1000
    private static let maxBytes = 4 << 20

    /// The maximum number of rows of a buffered list; 0 when the rows are so large that every list is streamed.
    var shortListLimit: Int {
        let width = bytes.load(ordering: .relaxed)
        return width == 0
            ? RowSizeEstimate.initialLimit : min(RowSizeEstimate.maxRows, RowSizeEstimate.maxBytes / width)
    }

    /// Records the encoded size of some rows, `count` bytes in total. The estimate follows larger rows immediately, and
    /// smaller rows slowly.
    func record(_ count: Int, rows: Int) {
        guard rows > 0 else { return }
        let (width, old) = (count / rows + 1, bytes.load(ordering: .relaxed))
        bytes.store(old == 0 ? width : max(width, old - (old - width) / 8), ordering: .relaxed)
    }
}
