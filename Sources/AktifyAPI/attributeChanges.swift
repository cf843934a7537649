import ORM
import Web

/// Has the records of changes name the client and the request that made them.
func attributeChanges(
    of request: Request, _ next: (Request) async throws -> Response
) async throws -> Response {
    let author = ChangeAuthor(name: request.principal?.name, requestID: request.id)
    return try await ChangeAuthor.$current.withValue(author) { try await next(request) }
}
