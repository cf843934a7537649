import ORM
import Web

/// A middleware that sets the author (client and request ID) of the change records that a request writes.
func attributeChanges(
    of request: Request, _ next: (Request) async throws -> Response
) async throws -> Response {
    let author = ChangeAuthor(name: request.principal?.name, requestID: request.id)
    return try await ChangeAuthor.$current.withValue(author) { try await next(request) }
}
