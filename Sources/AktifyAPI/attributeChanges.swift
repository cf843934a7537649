import ORM
import Web

/// Handles a request as a middleware: sets the author (client and request ID) of the change records that the request
/// writes.
func attributeChanges(
    of request: Request, _ next: (Request) async throws -> Response
) async throws -> Response {
    let author = ChangeAuthor(name: request.principal?.name, requestID: request.id)
    return try await ChangeAuthor.$current.withValue(author) { try await next(request) }
}
